"""Prints where it should not, and cannot be imported."""

print("this line must not get into data on stdout")

raise RuntimeError("the flux capacitor is empty")
