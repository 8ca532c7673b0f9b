"""What accounts may do in an emulated project, as the output `grants` of infra/ lists it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_GRANT = re.compile(r"(?P<account>[^:]+): (?P<role>\S+) on (?P<what>.+?)( where (?P<where>\S+))?")
_FOLDERS = re.compile(r"only-((?:[a-z]+-)+)folders")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A role of an account on a resource, such as `queue tminus-steps`; `where` is the title of its condition."""

    account: str
    role: str
    what: str
    where: str = ""

    @property
    def folders(self) -> tuple[str, ...] | None:
        """The folders of a bucket that the condition allows; None without such a condition."""
        found = _FOLDERS.fullmatch(self.where)
        return tuple(f"{name}/" for name in found[1].split("-") if name) if found else None


@dataclass(frozen=True)
class Grants:
    """All grants of a project."""

    all: tuple[Grant, ...]

    @classmethod
    def read(cls, lines: Iterable[str], *, project: str) -> "Grants":
        """Read lines `account: role on what, where`, each for `project`, whichever project they were made for.

        ValueError for any other line.
        """
        lines = list(lines)
        made_for = {found[1] for line in lines if (found := re.search(r" projects/([^/]+)/", line))}
        text = "\n".join(lines)
        for name in made_for:
            text = re.sub(rf"\b{re.escape(name)}\b(?=[./-])", project, text)
        return cls(tuple(_read(line) for line in text.splitlines()))

    @property
    def accounts(self) -> list[str]:
        """The names of all accounts, without their domain, sorted."""
        return sorted({grant.account for grant in self.all})

    def of(self, account: str, what: str) -> list[Grant]:
        """Return an account's grants on a resource."""
        return [grant for grant in self.all if (grant.account, grant.what) == (account, what)]

    def has(self, account: str, role: str, what: str) -> bool:
        """Return whether an account has a role on a resource."""
        return any(grant.role == role for grant in self.of(account, what))

    def may_act_as(self, account: str, email: str) -> bool:
        """Return whether an account may make requests that carry another account's token."""
        role = "roles/iam.serviceAccountUser"
        return any(
            grant.role == role and grant.what.startswith("account ") and grant.what.endswith(f"/{email}")
            for grant in self.all
            if grant.account == account
        )

    def may_invoke(self, account: str, service: str) -> bool:
        """Return whether an account may call a Cloud Run service."""
        return self.has(account, "roles/run.invoker", f"service {service}")


NOTHING = Grants(())
"""No grants at all."""


def account_of(email: str) -> str:
    """Return an account's name in grants, given its e-mail address."""
    return email.partition("@")[0]


def _read(line: str) -> Grant:
    found = _GRANT.fullmatch(line)
    if found is None:
        raise ValueError(f"grant {line!r}: must have the form `account: role on what where condition`")
    given = found.groupdict(default="")
    return Grant(account=given["account"], role=given["role"], what=given["what"], where=given["where"])
