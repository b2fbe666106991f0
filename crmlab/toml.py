"""Files of settings: the one way they are read."""

import tomllib

from crmlab.contracts import InputError


def read(path, absent):
    """A TOML file as a dict. Raises InputError where it cannot be read, or is not there: then with `absent`."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError:
        raise InputError(absent) from None
    except (tomllib.TOMLDecodeError, UnicodeError) as problem:
        raise InputError(f"{path.name}: cannot be read as TOML ({problem}); correct it") from None
