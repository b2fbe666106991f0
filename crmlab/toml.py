"""Files of settings: the one way they are read."""

import tomllib

from crmlab.contracts import InputError


def read(path, missing_message):
    """A TOML file as a dict. Raises InputError where it cannot be read, or is absent: then `missing_message`."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError:
        raise InputError(missing_message) from None
    except (tomllib.TOMLDecodeError, UnicodeError) as problem:
        raise InputError(f"{path.name}: cannot be read as TOML ({problem}); correct it") from None
