"""One story in examples: jasmine tea for 12 dollars alone, 9 with a friend, 7 from four on."""

DEAL_ID = "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
MERCHANT_ID = "01997b3e-1111-7a11-9111-000000000001"
VARIANT_ID = "01997b3e-7f5a-7cc1-9a3b-5b7d2e4c8f21"
GROUP_ID = "01997b40-03c1-7b7e-a5d0-6e1f0c9d3a42"
ORDER_ID = "01997b41-03c1-7b7e-a5d0-6e1f0c9d3a43"
SHOPPER_ID = "4b1d9c1e-52b8-4a0e-9d57-0b5a5d0f7a11"
INVITE_CODE = "q3V9cH2kTz0aWm7B"

TIERS = [{"participants": 2, "unit_price": 900}, {"participants": 4, "unit_price": 700}]

NEW_DEAL = {
    "title": "Jasmine tea, 250 g",
    "currency": "USD",
    "solo_price": 1200,
    "tiers": TIERS,
    "stock": 500,
    "group_size_max": 10,
    "group_lifetime_s": 86400,
    "ends_at": "2027-05-31T16:00:00Z",
    "units_per_shopper_max": 3,
}
DEAL_EDIT = {"title": "Jasmine tea, spring harvest, 250 g", "units_per_shopper_max": None}
PREVIEW = {"currency": "USD", "solo_price": 1200, "tiers": TIERS, "group_size_max": 4, "quantity": 2}
ADDRESS = {
    "name": "Ada Byron",
    "line1": "12 St James Square",
    "city": "London",
    "country": "GB",
    "postal_code": "SW1Y 4JH",
}
PURCHASE = {"quantity": 1, "variant_id": VARIANT_ID, "address": ADDRESS}
PLACE = {"quantity": 2, "variant_id": VARIANT_ID, "invite_code": INVITE_CODE, "address": ADDRESS}
NEW_INVITE = {"channel": "wechat"}

DEAL = {
    "id": DEAL_ID,
    "merchant_id": MERCHANT_ID,
    "title": "Jasmine tea, 250 g",
    "description": "",
    "image_url": None,
    "currency": "USD",
    "solo_price": 1200,
    "tiers": TIERS,
    "variants": [{"id": VARIANT_ID, "title": "Jasmine tea, 250 g", "image_url": None, "stock": 500, "stock_left": 498}],
    "grouping": "team",
    "group_size_max": 10,
    "group_lifetime_s": 86400,
    "starts_at": None,
    "ends_at": "2027-05-31T16:00:00Z",
    "last_opening_at": "2027-05-30T16:00:00Z",
    "units_per_shopper_max": 3,
    "status": "live",
    "crowd_group_id": None,
    "version": 2,
    "created_at": "2027-05-01T08:00:00Z",
    "needs_shipping": True,
    "guests_may_buy": True,
    "reward": {"kind": "share", "amount": 200},
    "takes_payment": True,
}
GROUP = {
    "id": GROUP_ID,
    "deal_id": DEAL_ID,
    "leader_id": SHOPPER_ID,
    "status": "open",
    "participants": 2,
    "seats_left": 8,
    "unit_price": 900,
    "ceiling_price": 900,
    "solo_price": 1200,
    "next_tier": {"participants": 4, "participants_needed": 2, "unit_price": 700},
    "tipped": True,
    "opened_at": "2027-05-02T09:30:00Z",
    "expires_at": "2027-05-03T09:30:00Z",
    "closed_at": None,
    "closed_by": None,
    "version": 3,
    "currency": "USD",
    "awaiting_payment": 0,
    "settling": None,
}
YOUR_PLACE = {
    "quantity": 2,
    "variant_id": VARIANT_ID,
    "joined_at": "2027-05-02T09:41:07Z",
    "invite_code": INVITE_CODE,
    "hold": 1800,
    "pays": None,
    "order_id": ORDER_ID,
    "status": "joined",
    "payment": None,
}
GROUP_WITH_YOU = GROUP | {"you": YOUR_PLACE}
AWAITED = {
    "gateway": "sandbox",
    "amount": 1800,
    "currency": "USD",
    "pay_by": "2027-05-02T09:51:07Z",
    "client_secret": "pay_01997b41_secret_Zk3v",
    "redirect_url": None,
}
GROUP_AWAITING_YOU = GROUP | {
    "awaiting_payment": 1,
    "you": YOUR_PLACE | {"status": "awaiting_payment", "payment": AWAITED},
}
PAYMENT_STATE = {"order_id": ORDER_ID, "group_id": GROUP_ID, "status": "approved", "payment": None}
STEP_TAKEN = {"reference": "pay_01997b4103c17b7ea5d06e1f0c9d3a43", "state": "held"}
INVITE = {
    "code": INVITE_CODE,
    "deal_id": DEAL_ID,
    "group_id": GROUP_ID,
    "sharer_name": "Ada",
    "channel": "wechat",
    "parent_code": None,
    "joins": 1,
    "created_at": "2027-05-02T09:35:00Z",
}
PARTICIPANT = {"display_name": "Ada", "avatar_url": None, "joined_at": "2027-05-02T09:30:00Z", "is_leader": True}


def page(item: object) -> dict[str, object]:
    """A last page of one item."""
    return {"items": [item], "next_cursor": None}
