"""Studies and the cache of a machine as they are: looked at, renamed, removed, made small."""
