"""A group's page for somebody who is signed in here: where they stand, and what they can do next.

It is theirs alone: made for each request and kept by nobody.
"""

from dataclasses import replace

from api.answers import Answer
from api.pages.apps import apps_of
from api.pages.asking import is_part
from api.pages.group_html import Shows, join_part, page_with
from api.pages.join_step import CHOOSING, Step
from api.pages.showing import made_for
from api.pages.standing import step_of
from api.pages.web_session import visitor_of
from api.requests import AnyRequest, runtime_of
from domain.sharing.language import Language


async def your_page(request: AnyRequest, shows: Shows, language: Language) -> Answer:
    """The page for whoever is signed in, or was until now. Raises `RateLimited` and `Unavailable`."""
    if await visitor_of(request) is None:
        step = Step(name="over") if shows.landing.group.is_closed else CHOOSING
    else:
        step = await step_of(request, shows.landing, language)
    return as_answer(request, shows, language, replace(step, moves_focus=is_part(request)))


def as_answer(request: AnyRequest, shows: Shows, language: Language, step: Step, status: int = 200) -> Answer:
    """A step on its page, or alone where the page is there already."""
    settings = runtime_of(request).settings
    if is_part(request):
        content = join_part(shows, language, settings.origin, step)
    else:
        content = page_with(shows, language, settings.origin, step, apps_of(settings))
    return made_for(request, language, content, status)
