"""Facts, in the past tense: one closed union per kind of stream.

A new kind of event is a new class here; every `match` over the union then fails type checking until it answers.
Readers pass kinds they do not know through undecoded (journal.codec).
"""

from typing import Literal, TypeAlias

from shopfloor.domain.contract import Brief, SealedChecks
from shopfloor.domain.exits import Exit
from shopfloor.domain.fact import Fact
from shopfloor.domain.messages import Call, Message, Result, StopReason
from shopfloor.domain.mission import CostRange, Feature, Handoff, Plan, Verdict
from shopfloor.domain.roles import Autonomy, RoleName
from shopfloor.domain.spending import Budget, Spent, Usage

# --- an agent's stream ------------------------------------------------------------------------------------------


class AgentStarted(Fact, tag="AgentStarted"):
    """An agent came to be: its role, its model, its whole first prompt (system is a blob), its limits."""

    role: RoleName
    model: str
    system: str
    tools: tuple[str, ...]
    task: Message
    autonomy: Autonomy
    budget: Budget


class ModelCalled(Fact, tag="ModelCalled"):
    """A prompt is about to be sent. If no reply follows, `estimate` tokens count as spent.

    `usd` is their price, None where it is unknown or no budget asks for it.
    """

    turn: int
    estimate: int
    usd: float | None = None


class ModelReplied(Fact, tag="ModelReplied"):
    """A whole reply arrived. `usd` is None when the price is unknown."""

    turn: int
    message: Message
    usage: Usage
    model: str
    stop: StopReason
    usd: float | None = None
    seconds: float = 0.0
    lost: int = 0


class ModelFailed(Fact, tag="ModelFailed"):
    """A model call ended without a reply, after `lost` prompts that a provider may charge for."""

    turn: int
    reason: str
    seconds: float = 0.0
    lost: int = 1


class ToolCalled(Fact, tag="ToolCalled"):
    """A call is about to be performed."""

    turn: int
    call: Call
    repeatable: bool = False


class ToolReturned(Fact, tag="ToolReturned"):
    """What came of a call."""

    turn: int
    result: Result
    seconds: float = 0.0


class AgentCorrected(Fact, tag="AgentCorrected"):
    """The loop itself spoke to the model: a nudge out of a circle, or a reminder of how to finish."""

    why: Literal["circle", "silent"]
    reason: str
    message: Message


class AgentSteered(Fact, tag="AgentSteered"):
    """A person's words reached the model between two turns. `inbox_seq` is the inbox entry they came from."""

    message: Message
    inbox_seq: int


class AgentEnded(Fact, tag="AgentEnded"):
    """The agent left its loop. `result` is the JSON text that its finish tool accepted, or its last words."""

    exit: Exit
    reason: str
    spent: Spent
    result: str = ""


AgentEvent: TypeAlias = (
    AgentStarted
    | ModelCalled
    | ModelReplied
    | ModelFailed
    | ToolCalled
    | ToolReturned
    | AgentCorrected
    | AgentSteered
    | AgentEnded
)

# --- a mission's stream -----------------------------------------------------------------------------------------


class MissionRequested(Fact, tag="MissionRequested"):
    """A person asked. `base` is the commit everything starts from, `target` the branch it is meant for."""

    brief: Brief
    repository: str
    base: str
    target: str
    models: tuple[tuple[RoleName, str], ...]
    autonomy: Autonomy
    budget: Budget
    sandbox: str
    network: str = "none"
    """`setup` when a set-up command of the repository may use the network; agents and judges never may."""
    person_present: bool = False
    merge_policy: Literal["person", "automatic"] = "person"
    form: Literal["mission", "solo"] = "mission"
    """A `solo` job is one agent and the repository's own checks: no plan, no contract."""
    remarks: tuple[str, ...] = ()
    """What a person should know of this repository before work starts."""
    budget_from: str = ""
    """Where the budget was set: by default, in a settings file, in the environment, by a flag."""


class MissionPlanned(Fact, tag="MissionPlanned"):
    """The orchestrator's plan passed the contract's own checks."""

    plan: Plan
    expected: CostRange


class ContractSealed(Fact, tag="ContractSealed"):
    """Nothing that judges the work can change any more. `seal` is the hash over all that follows."""

    seal: str
    contract: str
    """Blob of the contract's text."""
    checks: SealedChecks
    services: str
    """Blob of the services file at the base commit, "" if there is none."""
    red_on_base: tuple[str, ...] = ()
    """Assertions whose checks were seen to fail on the base, as they must."""
    failing_on_base: tuple[str, ...] = ()
    """Commands of the repository itself that failed before anybody touched it: they refuse nobody."""
    seconds: float = 0.0
    """How long the checks and commands ran on the base."""


class PlanApproved(Fact, tag="PlanApproved"):
    """A person, or the policy that stands for one, said yes."""

    by: str


class AttemptStarted(Fact, tag="AttemptStarted"):
    """A worker begins a feature, in a checkout of its own, from `base`."""

    feature: str
    attempt: int
    base: str
    agent: str


class AttemptEnded(Fact, tag="AttemptEnded"):
    """A worker stopped. `commit` is what it leaves behind, "" when there is nothing new.

    `contradicted` lists what the handoff claims and the journal does not show.
    """

    feature: str
    attempt: int
    exit: Exit
    reason: str = ""
    commit: str = ""
    handoff: Handoff | None = None
    contradicted: tuple[str, ...] = ()


class VerdictReached(Fact, tag="VerdictReached"):
    """A judge spoke, after `seconds` of its own: commands, checks and the app, beside its models and tools."""

    verdict: Verdict
    round: int
    seconds: float = 0.0


class FixPlanned(Fact, tag="FixPlanned"):
    """Fix features go first in line."""

    because: str
    features: tuple[Feature, ...]


class FeatureLanded(Fact, tag="FeatureLanded"):
    """A feature is on the mission's own branch, at `commit`."""

    feature: str
    commit: str


class QuestionAsked(Fact, tag="QuestionAsked"):
    """Only a person can answer. Waiting is a state, not a failure."""

    id: str
    text: str
    options: tuple[str, ...] = ()
    """Answers to choose from by their numbers, which stand in the text; any other words will do too."""


class QuestionAnswered(Fact, tag="QuestionAnswered"):
    """A person answered."""

    id: str
    text: str


class MissionPaused(Fact, tag="MissionPaused"):
    """The runner stopped at a safe place and can go on.

    `exit` names what it waits for: a person, more money or time, or a word to go on ("stopped").
    """

    reason: str
    exit: Exit = "stopped"
    after_s: float | None = None
    """Seconds after which the same may work by itself; None when nothing will change by waiting."""


class MissionResumed(Fact, tag="MissionResumed"):
    """The runner goes on after a pause or a crash, with a new budget for the whole mission if the person gave one.

    `cut_off_s` are the seconds that the runner before it worked after its last fact.
    """

    budget: Budget | None = None
    cut_off_s: float = 0.0


class MissionReady(Fact, tag="MissionReady"):
    """The mission's branch is in the person's repository, waiting for the one command that merges it."""

    branch: str
    commit: str
    merge_command: str


class Landed(Fact, tag="Landed"):
    """The mission's branch was merged into its target by policy."""

    target: str
    commit: str


class MissionEnded(Fact, tag="MissionEnded"):
    """The mission left its loop."""

    exit: Exit
    reason: str = ""


MissionEvent: TypeAlias = (
    MissionRequested
    | MissionPlanned
    | ContractSealed
    | PlanApproved
    | AttemptStarted
    | AttemptEnded
    | VerdictReached
    | FixPlanned
    | FeatureLanded
    | QuestionAsked
    | QuestionAnswered
    | MissionPaused
    | MissionResumed
    | MissionReady
    | Landed
    | MissionEnded
)

# --- what people and faces write, and only the runner reads -----------------------------------------------------


class Steered(Fact, tag="Steered"):
    """Words for the agent now at work."""

    text: str


class PauseAsked(Fact, tag="PauseAsked"):
    """Stop at the next safe place."""


class CancelAsked(Fact, tag="CancelAsked"):
    """Stop, and do not go on."""


class Answered(Fact, tag="Answered"):
    """A person's answer to a question; "yes" to the question "approve" approves the plan."""

    question: str
    text: str


InboxEvent: TypeAlias = Steered | PauseAsked | CancelAsked | Answered

Event: TypeAlias = AgentEvent | MissionEvent | InboxEvent
