"""What was done at a merchant's, by its own people and keys, by the platform and by workers."""

from api.access import merchant_of
from api.answers import PRIVATE, Answer, answered
from api.requests import AnyRequest, cursor_of, limit_of, query_of, runtime_of
from api.routing import route
from infra.reading.audit import AuditQuery, list_audit


@route("GET", "/v1/merchants/{merchant_id}/audit")
async def read_own_audit(request: AnyRequest) -> Answer:
    query = query_of(request)
    asked = AuditQuery(merchant_id=merchant_of(request))
    limit, cursor = limit_of(query), cursor_of(query)
    page = await list_audit(runtime_of(request).engine, asked, limit, cursor, is_for_merchant=True)
    return answered(page, headers=PRIVATE)
