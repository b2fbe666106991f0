"""What lets a machine run what is due: units of systemd, or a line of cron."""

import shlex
import sys
from pathlib import Path

MINUTES = 5  # between looks at what is due
NAME = "crmlab"
SERVICE = """[Unit]
Description=crmlab: run what is due in {root}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
WorkingDirectory={directory}
ExecStart={command}
TimeoutStartSec=infinity
KillMode=control-group
Nice=10
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={reports}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
UMask=0027
"""
TIMER = """[Unit]
Description=crmlab: look every {minutes} minutes at what is due in {root}

[Timer]
OnCalendar=*:0/{minutes}
Persistent=true
RandomizedDelaySec=15
Unit={name}.service

[Install]
WantedBy=timers.target
"""


def systemd(root: Path, reports: Path) -> dict[str, str]:
    """The unit files, by their names."""
    known = {
        "root": str(root).replace("%", "%%"),
        "directory": _escaped(root),
        "reports": _quoted(reports),
        "command": " ".join(_quoted(part) for part in command()),
        "minutes": MINUTES,
        "name": NAME,
    }
    return {f"{NAME}.service": SERVICE.format(**known), f"{NAME}.timer": TIMER.format(**known)}


def cron(root: Path, reports: Path) -> str:
    """The line of a crontab, in which a per cent sign would end the command."""
    log = reports / "due.log"
    line = f"cd {shlex.quote(str(root))} && {shlex.join(command())} >> {shlex.quote(str(log))} 2>&1"
    return f"*/{MINUTES} * * * * {line}".replace("%", r"\%")


def command() -> list[str]:
    """What runs what is due."""
    return [str(Path(sys.executable).with_name("crmlab")), "run-due"]


def _escaped(path):
    """A path as a setting that takes all of the line reads it."""
    return str(path).replace("%", "%%")


def _quoted(path):
    """A path as one word of a line."""
    text = _escaped(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
