"""What the way into a group says: every sentence in every language, as in `api.pages.words`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWords:
    """All that is said on the way into a group in one language."""

    # choosing
    variant: str
    quantity: str
    sold_out: str
    own_title: str
    # who it is
    who_title: str
    phone: str
    phone_help: str
    dial_code: str
    send_code: str
    guest: str
    guest_help: str
    no_guests: str
    # the code
    code_title: str
    code_sent: str
    code: str
    name: str
    go_on: str
    send_again: str
    other_number: str
    # the place
    place_title: str
    pays_at_most: str
    held: str
    no_way_back: str
    join_now: str
    join_and_pay: str
    open_now: str
    open_and_pay: str
    you_are: str
    you_are_guest: str
    you_are_in: str
    sign_out: str
    # a guest who may lose the way to what is theirs
    add_number: str
    add_number_why: str
    parting_title: str
    parting: str
    sign_out_anyway: str
    stay: str
    # where it goes
    ship_title: str
    full_name: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str
    # paying
    pay_title: str
    pay_until: str
    pay_now: str
    have_paid: str
    pay_soon: str
    pay_in_app: str
    look_again: str
    give_up: str
    # being in
    in_title: str
    leave: str
    you_paid: str
    you_pay_nothing: str
    dropped: str
    missed_title: str
    missed: str
    # what the rules say
    in_already: str
    all_reserved: str
    group_full: str
    group_closed: str
    go_elsewhere: str
    stock_over: str
    units_over: str
    deal_over: str
    committed: str
    declined: str
    too_late: str
    lapsed: str
    wrong_code: str
    not_sent: str
    too_many: str
    not_now: str
    foreign: str
    gone: str
    not_done: str
    check_fields: str
    # what a field must be
    check_phone: str
    check_code: str
    check_name: str
    check_variant: str
    check_quantity: str
    check_line: str
    check_country: str
    # the app
    in_app: str
