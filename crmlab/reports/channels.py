"""By which channels notices of a schedule are sent, `[notices]` in suite.toml, and of what."""

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["failed", "rejected", "stale", "recovered", "check", "drift"]


class Mail(BaseModel):
    """Where e-mail goes, and by which server; the password is in the environment, `CRMLAB_MAIL_PASSWORD`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    to: list[str] = Field(min_length=1)
    sender: str
    host: str
    port: int = Field(587, ge=1, le=65535)
    user: str = ""
    tls: Literal["starttls", "tls"] = "starttls"

    @model_validator(mode="after")
    def _addresses(self):
        if wrong := [each for each in (*self.to, self.sender) if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", each)]:
            raise ValueError(f"{wrong[0]!r} is no address; write it as somebody@example.org")
        return self


class Notices(BaseModel):
    """`[notices]` of a suite.

    of      : what notices are sent of; of nothing else
    mail, webhook, command : the channels; an address may hold ${NAME} of the environment, and a command reads the text
    link    : the address under which the reports folder is seen, for links; else their paths
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    of: list[Kind] = ["failed", "rejected", "stale", "recovered", "check", "drift"]
    mail: Mail | None = None
    webhook: str = ""
    command: list[str] = []
    link: str = ""

    @model_validator(mode="after")
    def _web_addresses(self):
        for name in ("webhook", "link"):
            if (given := getattr(self, name)) and urlsplit(given).scheme not in ("http", "https"):
                raise ValueError(f"{name} = {given!r} is no web address; begin it with https://")
            if urlsplit(given).password:
                raise ValueError(f"{name}: leave the password out, and write ${{NAME}} of an environment variable")
        return self

    @property
    def channels(self) -> list[str]:
        """Those that were given."""
        return [channel for channel in ("mail", "webhook", "command") if getattr(self, channel)]
