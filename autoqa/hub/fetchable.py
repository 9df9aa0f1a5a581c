"""What is missing here and can be fetched, as a value."""


class Fetchable(str):
    """A sentence on what is not on this machine, where the plugin's ``downloads`` get it.

    Whoever shows such sentences adds below all of them that ``autoqa fetch`` gets it. What it does
    not get, such as a package or somebody's own file, is said by a plain ``str``.
    """

    __slots__ = ()
