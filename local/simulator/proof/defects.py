"""Defects planted on purpose, in the real code or in an adapter, to prove that the simulator finds them.

A defect is a mistake that a contributor could make. It is planted for a run, and removed again.
"""

from functions.domain.audience import dead_tokens
from functions.domain.cadence import ledger
from functions.domain.cadence import rules as cadence
from functions.domain.execution import safeguards
from functions.domain.execution.execution import Execution
from functions.domain.push import outcomes
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import Shard
from functions.domain.recipe import first_send, schedule
from functions.stores.shards import DocumentShardStore
from functions.usecases.sending import reserve
from functions.usecases.sending.assignment import Delivery
from functions.usecases.sending.held_shard import HeldShard
from functions.usecases.timeline import (
    built_pushes,
    checkpoint,
    concurrent,
    control,
    end_unreadable,
    finish,
    missed,
    orphans,
    reconcile,
    send_push,
    send_to_testers,
    turn,
)
from functions.usecases.timeline.steps import Run
from local.memory.executions import MemoryExecutionStore
from local.memory.files import MemoryAudienceFiles
from local.memory.ledger import MemoryCadenceLedger
from local.simulator.play.phones import Phones
from local.simulator.play.users import Users, UsersRun
from local.simulator.proof import mutations, platform_defects
from local.simulator.proof.defect import Defect
from local.simulator.proof.defects_of_content import CONTENT
from local.simulator.proof.defects_of_records import RECORDS
from local.simulator.proof.defects_of_segments import SEGMENTS
from local.simulator.proof.planting import Change

DEFECTS = (
    Defect(
        name="no create precondition",
        means="a second launch of a send overwrites the first one's execution",
        sentence=r"^the execution was created twice$",
        changes=(Change(MemoryExecutionStore.create, mutations.create_anyway),),
    ),
    Defect(
        name="intent after send",
        means="a chunk's INTENT is stored only once its messages have left",
        sentence=r"before its INTENT was stored$",
        changes=(Change(HeldShard.save, mutations.intent_after_send),),
    ),
    Defect(
        name="a lost intent counts as not reached",
        means="messages that a dead worker had in progress are sent again",
        sentence=r"was announced again after it was 'I'|was requested \d+ times|became '\.'$",
        favours=("crash_before", "crash_after", "sends often", "test is optional"),
        changes=(Change(Shard.settled, mutations.lost_is_not_reached),),
    ),
    Defect(
        name="no condition on the state",
        means="chunks start after a stop",
        sentence=r"was announced while the execution was|its chunk began after the execution had ended$",
        favours=("stop_now", "sends often"),
        changes=(Change(DocumentShardStore.save, mutations.no_condition_on_state),),
    ),
    Defect(
        name="no condition on the version",
        means="a worker that lost its shard writes it",
        sentence=r"was announced again after it was|was sent and became|was requested \d+ times",
        favours=("stall", "sends often"),
        changes=(
            Change(DocumentShardStore.save, mutations.no_condition_on_version),
            Change(DocumentShardStore.settle, mutations.no_condition_on_version),
        ),
    ),
    Defect(
        name="cancel not rechecked",
        means="the checkpoint overwrites a cancel that came while it decided",
        sentence=r"^it was cancelled and became live$",
        favours=("cancel_now", "races", "calm", "sends often"),
        changes=(Change(MemoryExecutionStore.change, mutations.checkpoint_trusts_what_it_read),),
    ),
    Defect(
        name="reservation without transaction",
        means="the ledger is read earlier, and overwrites what others have written since",
        sentence=r"^a user of push \d+ has no reservation$|got \d+ pushes within \d+ hours",
        favours=("few users", "caps meet"),
        changes=(Change(MemoryCadenceLedger.transact, mutations.reserve_without_transaction),),
    ),
    Defect(
        name="reservation without a look",
        means="a push is reserved without a look at earlier reservations",
        sentence=r"got \d+ pushes within \d+ hours",
        changes=(Change(ledger.reserve, mutations.reserve_after_looking),),
    ),
    Defect(
        name="one rule of several",
        means="only the first of a push's cadence rules is applied",
        sentence=r"got 4 pushes within 168 hours \(combined_l2_l3_limit\)$|got 3 pushes within 30 hours",
        favours=("caps meet", "calm", "test is optional"),
        changes=(Change(cadence.rules_for, mutations.first_push_only),),
    ),
    Defect(
        name="reservations never given back",
        means="users who were not sent to are held back from other pushes",
        sentence=r"has a reservation for a push that never went to them$",
        favours=("fcm_refused", "caps meet"),
        changes=(Change(reserve.give_back, mutations.never_give_back),),
    ),
    Defect(
        name="retry in transport",
        means="a request without an answer is made again",
        sentence=r"was requested \d+ times",
        changes=(Change(Phones.request, mutations.retry_in_transport),),
    ),
    Defect(
        name="audience overwritten",
        means="a second build replaces the audience that people were shown",
        sentence=r"was replaced after it was written$|differs from the shown one$",
        changes=(Change(MemoryAudienceFiles.write_once, mutations.overwrite),),
    ),
    Defect(
        name="local-time arithmetic",
        means="24 hours are added to the send of yesterday",
        sentence=r"UTC has no execution$|which is none of its times$",
        favours=("calm", "sends often"),
        changes=(Change(schedule.instant_of, mutations.local_arithmetic),),
    ),
    Defect(
        name="no dedup in send_test",
        means="a repeated test send sends again",
        sentence=r"\(test\) was sent and became|was requested \d+ times",
        changes=(Change(DocumentShardStore.create, mutations.forget_tests),),
    ),
    Defect(
        name="test not required",
        means="a failed test send does not block",
        sentence=r"^it went live although test row \d+ of \d+ never arrived$",
        changes=(Change(send_to_testers.send_to_all_testers, mutations.never_mind_the_test),),
    ),
    Defect(
        name="live without test",
        means="the checkpoint does not ask for the test send",
        sentence=r"^it went live without the test send that it requires$",
        favours=("task_late", "short lead"),
        changes=(Change(checkpoint.ready_for_live, mutations.ready_without_test),),
    ),
    Defect(
        name="no cancellation window",
        means="an execution that started late goes live without a cancellation window",
        sentence=r"^it went live before its cancellation window ended$",
        favours=("task_late", "short lead", "sends often"),
        changes=(Change(Run.window_over_at, mutations.no_window),),
    ),
    Defect(
        name="never too late",
        means="a push that is hours late is sent anyway",
        sentence=r"started too late: it was due at",
        changes=(Change(Run.too_late, mutations.never_too_late),),
    ),
    Defect(
        name="pushes not awaited",
        means="a push that comes early is sent early",
        sentence=r"left before it was due at",
        favours=("task_early", "apart", "sends often"),
        changes=(Change(send_push.push_due_at, mutations.due_at_once),),
    ),
    Defect(
        name="no safeguard of sizes",
        means="an execution sends to an audience that is too large",
        sentence=r"^it went live although push \d+ has \d+ users$",
        favours=("small audiences",),
        changes=(Change(safeguards.audience_findings, mutations.no_safeguards),),
    ),
    Defect(
        name="pause leaves the execution",
        means="a recipe that was paused before T-0 is sent",
        sentence=r"^it went live although its recipe had been paused before$",
        favours=("pause_now", "races", "sends often"),
        changes=(
            Change(control.cancel_before_live, mutations.nobody),
            Change(orphans.why_orphaned, mutations.do_nothing),
        ),
    ),
    Defect(
        name="tasks not renewed",
        means="a lost task is never recreated",
        sentence=r"long after it should have ended$",
        changes=(Change(reconcile.task_lost, mutations.nothing_lost),),
    ),
    Defect(
        name="missed sends not launched",
        means="a start that the scheduler missed is never made up",
        sentence=r"UTC has no execution$",
        favours=("fire_never", "sends often"),
        changes=(Change(reconcile.start_missing_sends, mutations.nobody),),
    ),
    Defect(
        name="starts before the save forgotten",
        means="a recipe saved inside its lead time shows a send that nothing starts",
        sentence=r"was promised and is missing$",
        favours=("join", "calm"),
        changes=(Change(missed.start_due, mutations.only_starts_after_the_save),),
    ),
    Defect(
        name="all others counted",
        means="each of several executions at one instant counts all others against the limit",
        sentence=r"^it (was blocked as one too many|had to wait its turn) although its turn had come$",
        favours=("crowded", "calm"),
        changes=(Change(Execution.created_before, mutations.whichever_came_first),),
    ),
    Defect(
        name="nobody waits",
        means="an execution is blocked when it finds the limit reached, instead of waiting",
        sentence=r"^it was blocked as one too many although it could wait until",
        favours=("crowded", "calm"),
        changes=(Change(turn.latest_start, mutations.cannot_wait),),
    ),
    Defect(
        name="no order in the line",
        means="as soon as one execution ends, all that wait start",
        sentence=r"^it ran beside \d+ executions before it",
        favours=("crowded", "calm"),
        changes=(Change(turn.too_many, mutations.waiting_counts_for_nothing),),
    ),
    Defect(
        name="a place is never given back",
        means="an execution that has sent everything makes others wait until its cleanup",
        sentence=r"^it (was blocked as one too many|had to wait its turn) although its turn had come$",
        favours=("crowded", "calm"),
        changes=(Change(turn.everything_sent, mutations.nothing_lost),),
    ),
    Defect(
        name="limit not asked",
        means="more executions run at once than the deployment allows",
        sentence=r"it ran beside \d+ executions before it",
        favours=("crowded", "calm"),
        changes=(Change(concurrent.bar, mutations.nothing),),
    ),
    Defect(
        name="a moved send is sent again",
        means="a recipe whose schedule moves while a send is running sends twice on that day",
        sentence=r"was sent twice on \d",
        favours=("move", "calm", "sends daily"),
        changes=(
            Change(first_send.displaced, mutations.nobody),
            Change(concurrent.send_of_that_day, mutations.nothing),
        ),
    ),
    Defect(
        name="unreadable passed over",
        means="an execution that a new release cannot read stays as it is",
        sentence=r"long after a new release refused it$",
        changes=(Change(end_unreadable.end_unreadable, mutations.do_nothing),),
    ),
    Defect(
        name="tokens kept",
        means="device tokens are not deleted at cleanup",
        sentence=r"^device tokens were kept when they were deleted",
        changes=(Change(MemoryAudienceFiles.delete, mutations.do_nothing),),
    ),
    Defect(
        name="dead tokens forgotten",
        means="messages still go to tokens that FCM called dead",
        sentence=r"which FCM had called dead$",
        favours=("fcm_dead", "sends often"),
        changes=(Change(dead_tokens.DeadTokens.has, mutations.all_alive),),
    ),
    Defect(
        name="the dead stay dead",
        means="no token is sent to again that the app registered after its burial",
        sentence=r"counts as dead although the app registered it again$",
        favours=("fcm_dead", "calm", "sends often"),
        changes=(Change(dead_tokens.DeadTokens.has, mutations.buried_for_good),),
    ),
    Defect(
        name="a burial replaces those before it",
        means="the dead tokens of a shard replace those of its partition",
        sentence=r"^a dead token was forgotten that no operator had lifted$",
        favours=("fcm_dead", "calm", "sends often"),
        changes=(Change(dead_tokens.bury, mutations.bury_alone),),
    ),
    Defect(
        name="tokens of another project buried",
        means="a token of another project counts as dead",
        sentence=r"^a token was buried that FCM had not called dead$",
        favours=("fcm_stray", "sends often"),
        changes=(Change(Phones.request, mutations.bury_strays),),
    ),
    Defect(
        name="wrong project not noticed",
        means="an execution continues although its sender has the wrong project",
        sentence=r"all tokens belong to another project$",
        favours=("fcm_wrong_project", "calm", "sends often"),
        changes=(Change(safeguards.misconfigured, mutations.do_nothing),),
    ),
    Defect(
        name="a phone of two owners",
        means="a phone that changed hands gets the pushes of its previous owner",
        sentence=r"another user's phone",
        changes=(Change(Users.tokens_of, mutations.everybodys_phone),),
    ),
    Defect(
        name="opt-outs of a topic passed over",
        means="a user who opted out of a topic gets its pushes",
        sentence=r", who had opted out$",
        favours=("sends often",),
        changes=(Change(UsersRun.write_devices, mutations.regardless_of_topic),),
    ),
    Defect(
        name="dry run sends",
        means="the live phase of a test-mode recipe reaches people",
        sentence=r"^a dry run sent to",
        favours=("dry run",),
        changes=(Change(Delivery.dry_run, mutations.dry_run_is_live),),
    ),
    Defect(
        name="completed too early",
        means="an execution is completed while users are still to be reached",
        sentence=r"^it is completed although users were not reached$",
        changes=(
            Change(finish.work_left, mutations.nothing_lost),
            Change(Tally.not_reached, mutations.complete_with_rest),
        ),
    ),
    Defect(
        name="a second doubt forgotten",
        means="onUnknown: resend sends a third time",
        sentence=r"was requested 3 times",
        favours=("resend", "fcm_reset_after"),
        changes=(Change(outcomes.result, mutations.forget_doubt),),
    ),
    Defect(
        name="rows read by the rules of now",
        means="who a rule held back is reported under another rule, once the workspace has other rules",
        sentence=r"^its receipt says .* was decided$",
        favours=("new rules", "caps meet", "apart", "calm", "test is optional"),
        changes=(Change(built_pushes.read_built, mutations.bytes_of_now),),
    ),
    *CONTENT,
    *RECORDS,
    *SEGMENTS,
    *platform_defects.PLATFORM_DEFECTS,
)
