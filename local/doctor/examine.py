"""Compare a whole deployment with what Terraform has made."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from functions.ports.queue import Clock
from local.doctor import accounts, buckets, database, jobs, policies, queues, secrets, services, source
from local.doctor.expected import Deployment
from local.doctor.finding import Check, Finding, State
from local.doctor.google import AT_ONCE, Google, Missing, Unread

Progress = Callable[[str], object]


def examine(google: Google, deployment: Deployment, clock: Clock, progress: Progress) -> Sequence[Finding]:
    """Return the findings of all checks, in the same order each time: one for each problem, or one if there is none.

    Reads only, some requests at a time. `progress` is called with the subject of each check that ends.
    """
    planned = list(_checks(google, deployment, clock))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="doctor") as pool:
        futures = [pool.submit(_findings, check) for check in planned]
        found = []
        try:
            for check, future in zip(planned, futures, strict=True):
                found += future.result()
                progress(f"{check.kind} {check.what}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _checks(google: Google, deployment: Deployment, clock: Clock) -> Iterator[Check]:
    yield from accounts.checks(google, deployment)
    yield from policies.checks(google, deployment)
    yield from database.checks(google, deployment)
    yield from queues.checks(google, deployment)
    yield from jobs.checks(google, deployment, clock)
    yield from secrets.checks(google, deployment)
    yield from buckets.checks(google, deployment)
    yield from services.checks(google, deployment)
    yield from source.checks(google, deployment)


def _findings(check: Check) -> list[Finding]:
    """Run a check."""
    try:
        problems = list(check.look())
    except Missing:
        return [_finding(check, State.WRONG, "it does not exist", check.missing)]
    except Unread as unread:
        return [_finding(check, State.CANNOT_SEE, unread.reason, unread.fix)]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"Google's answer has another form than expected ({type(error).__name__}: {error})"
        return [_finding(check, State.CANNOT_SEE, reason, "look there by hand, and report it as a problem of Tminus")]
    if not problems:
        return [_finding(check, State.OK)]
    return [_finding(check, State.WRONG, each.text, each.fix) for each in problems]


def _finding(check: Check, state: State, problem: str = "", fix: str = "") -> Finding:
    return Finding(kind=check.kind, what=check.what, state=state, problem=problem, fix=fix)
