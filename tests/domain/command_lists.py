"""Lists of commands on a few deals and groups, so that most of them meet."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from domain.groupbuy.commands import (
    CancelGroup,
    CloseGroup,
    Command,
    CreateInvite,
    EditDeal,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    PauseDeal,
    PublishDeal,
    ResumeDeal,
    RevokeInvite,
    StartCrowd,
)
from domain.groupbuy.deal import Grouping
from domain.groupbuy.world import World
from tests.domain.catalogue import (
    ANN,
    BEN,
    BLUE,
    CAT,
    DAN,
    DEAL,
    ELSEWHERE,
    EVE,
    MERCHANT,
    NOON,
    OTHER_DEAL,
    RED,
    Scene,
)
from tests.domain.catalogue import schedule as tiers

LATER_DEAL = UUID(int=0xD3)
CROWD, LATER_CROWD, *TEAMS = (UUID(int=0xE0 + number) for number in range(8))
COMMANDS_MAX = 40


def world_before() -> World:
    """A team deal with two teams in it, a crowd, and a crowd that starts ten seconds later."""
    scene = Scene()
    prices = tiers(50, (2, 40), (3, 30))
    scene.live(DEAL, (replace(RED, stock=6), BLUE), schedule=prices, units_per_shopper_max=2, group_lifetime_s=10)
    crowd = {"schedule": prices, "grouping": Grouping.CROWD, "group_lifetime_s": 20}
    starts_at = NOON + timedelta(seconds=10)
    scene.live(LATER_DEAL, (replace(RED, id=UUID(int=9)),), starts_at=starts_at, **crowd)
    scene.draft(OTHER_DEAL, (replace(RED, id=UUID(int=8), stock=3),), **crowd)
    scene.does(PublishDeal(deal_id=OTHER_DEAL, merchant_id=MERCHANT, crowd_group_id=CROWD))
    for leader_id, group_id in ((ANN, TEAMS[0]), (BEN, TEAMS[1])):
        scene.does(
            OpenGroup(order_id=group_id, deal_id=DEAL, group_id=group_id, shopper_id=leader_id, variant_id=RED.id)
        )
        scene.does(CreateInvite(group_id=group_id, sharer_id=leader_id, channel="chat", code=f"of-{group_id.int}"))
    return scene.world


shoppers = st.sampled_from([ANN, BEN, CAT, DAN, EVE])
groups = st.sampled_from([*TEAMS[:4], TEAMS[0], TEAMS[1], CROWD, LATER_CROWD])
some_code = st.sampled_from(["code-0", "code-1", f"of-{TEAMS[0].int}", f"of-{TEAMS[1].int}", "unknown"])
codes = st.none() | some_code
variants = st.sampled_from([RED.id, RED.id, BLUE.id, None, ELSEWHERE])
joins = st.builds(
    JoinGroup,
    group_id=groups,
    shopper_id=shoppers,
    quantity=st.sampled_from([1, 1, 2, 0]),
    variant_id=variants,
    invite_code=codes,
)
openings = st.builds(
    OpenGroup,
    deal_id=st.sampled_from([DEAL, DEAL, DEAL, OTHER_DEAL]),
    group_id=st.just(ELSEWHERE),
    shopper_id=shoppers,
    variant_id=variants,
    invite_code=codes,
)
edits = st.builds(
    EditDeal,
    deal_id=st.just(DEAL),
    merchant_id=st.just(MERCHANT),
    changes=st.sampled_from([{"group_size_max": 3}, {"units_per_shopper_max": 1}, {"group_lifetime_s": 0}]),
)
deal_ids = st.sampled_from([DEAL, OTHER_DEAL, LATER_DEAL])
one_command: st.SearchStrategy[Command] = st.one_of(
    joins,
    joins,
    openings,
    st.builds(LeaveGroup, group_id=groups, shopper_id=shoppers),
    st.builds(CloseGroup, group_id=groups),
    st.builds(CancelGroup, group_id=groups, merchant_id=st.just(MERCHANT)),
    st.builds(
        CreateInvite, group_id=groups, sharer_id=shoppers, channel=st.sampled_from(["chat", "qr"]), code=st.just("")
    ),
    st.builds(RevokeInvite, group_id=groups, sharer_id=shoppers, code=some_code),
    st.builds(PauseDeal, deal_id=deal_ids, merchant_id=st.just(MERCHANT)),
    st.builds(ResumeDeal, deal_id=deal_ids, merchant_id=st.just(MERCHANT), crowd_group_id=st.just(LATER_CROWD)),
    st.builds(StartCrowd, deal_id=st.just(LATER_DEAL), group_id=st.just(LATER_CROWD)),
    edits,
)


def _with_new_ids(commands: list[Command]) -> list[Command]:
    """Each opening gets a group id, and each sharing a code, that nobody had before: the server gives them."""
    group_ids = iter(TEAMS[2:] + [UUID(int=0x2000 + number) for number in range(COMMANDS_MAX)])
    new_codes = (f"code-{number}" for number in range(COMMANDS_MAX))
    found: list[Command] = []
    for command in commands:
        match command:
            case OpenGroup():
                found.append(replace(command, group_id=next(group_ids)))
            case CreateInvite():
                found.append(replace(command, code=next(new_codes)))
            case _:
                found.append(command)
    return found


command_lists = st.lists(one_command, max_size=COMMANDS_MAX).map(_with_new_ids)
