"""What a client's phones have said of themselves: offered beside a message, shown to read."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.sessions.rules import Session
from vestibule.support.pages.visit import session_of
from vestibule.support.rules import number_from
from vestibule.support.rules.diagnoses import Diagnosis
from vestibule.support.service.diagnosing import list_diagnoses, read_diagnosis
from vestibule.web.rendering import render


@dataclass(frozen=True, slots=True)
class Offered:
    """Diagnoses that may be attached."""

    named: list[Diagnosis]
    """The one by whose link the page was opened."""
    others: list[Diagnosis]


async def offered_to(request: Request, session: Session) -> Offered:
    """What ``support/diagnoses.html`` shows. A name that is not the client's own names nothing."""
    kept = await list_diagnoses(request.app.state.ctx, session.account_id)
    name = number_from(request.query_params.get("diagnosis", ""))
    return Offered(
        named=[one for one in kept if one.reference == name],
        others=[one for one in kept if one.reference != name],
    )


async def show(request: Request) -> Response:
    """GET /messages/diagnoses/{reference}: all that the phone has sent, for its owner to read."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    found, text = await read_diagnosis(ctx, session.account_id, request.path_params["reference"])
    return render(request, "support/diagnosis.html", session=session, diagnosis=found, text=text)


routes = [Route("/messages/diagnoses/{reference}", show, methods=["GET"])]
