"""Lists and hits over HTTP. Thin."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Body, FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from guardian.domain.errors import InputRefusedError
from guardian.domain.subject import Subject
from guardian.watch.csv_import import ListImporter
from guardian.watch.desk import HitDesk
from guardian.watch.import_plan import BYTES_MAX
from guardian.watch.keeper import ListKeeper
from guardian.watch.register import ListRegister
from guardian.watch.views import (
    ClaimRequest,
    EntryFindRequest,
    EntryPage,
    HitDetail,
    HitPage,
    ImportApplyRequest,
    ImportPlan,
    InspectRequest,
    ListChangeAnswer,
    ListChangeRequest,
    ListCloseRequest,
    ListDeedAnswer,
    ListNameRequest,
    ListsView,
    OutcomeRequest,
    PlateInspectionView,
    UndoRequest,
    UndoVersionRequest,
    VerdictRequest,
)

CSV = "text/csv; charset=utf-8"
TABLE = {200: ResponseSpec(bytes, generate_examples=False, description="The table", media_type="text/csv")}
"""For the document: the answer is a file."""


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{re.sub(r"[^A-Za-z0-9_-]", "", name)}.csv"'}


# ── hits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@get("/hits", opt={"action": "hits.list"})
async def list_hits(
    subject: NamedDependency[Subject],
    hit_desk: NamedDependency[HitDesk],
    which: Annotated[str, QueryParameter(name="state")] = "open",  # `state` itself is a word of the framework
    cursor: FromQuery[str] = "",
) -> HitPage:
    """The queue (`open`), what I check (`mine`), or what is decided (`checked`)."""
    return await hit_desk.list_hits(subject, which, cursor)


@get("/hits.csv", opt={"action": "hits.export"}, responses=TABLE)
async def export_hits(
    hit_desk: NamedDependency[HitDesk], which: Annotated[str, QueryParameter(name="state")] = "checked"
) -> Stream:
    """Hits as a file for a spreadsheet."""
    return Stream(hit_desk.export_csv(which), media_type=CSV, headers=_as_file(f"hits-{which}"))


@get("/hits/{hit_id:str}", opt={"action": "hits.view"})
async def view_hit(hit_id: FromPath[str], hit_desk: NamedDependency[HitDesk]) -> HitDetail:
    """Everything the check shows."""
    return await hit_desk.detail(hit_id)


@post("/hits/{hit_id:str}/claim", opt={"action": "hits.check"}, status_code=200)
async def claim_hit(
    hit_id: FromPath[str],
    subject: NamedDependency[Subject],
    hit_desk: NamedDependency[HitDesk],
    data: JSONBody[ClaimRequest | None] = None,
) -> HitDetail:
    """I check it. Where somebody else does: 409 `hit-claimed`, unless `take_over`."""
    return await hit_desk.claim(hit_id, subject, take_over=data is not None and data.take_over)


@post("/hits/{hit_id:str}/keep", opt={"action": "hits.check"}, status_code=200)
async def keep_hit(
    hit_id: FromPath[str], subject: NamedDependency[Subject], hit_desk: NamedDependency[HitDesk]
) -> HitDetail:
    """A key was pressed: the claim lives on."""
    return await hit_desk.keep(hit_id, subject)


@post("/hits/{hit_id:str}/release", opt={"action": "hits.check"}, status_code=200)
async def release_hit(
    hit_id: FromPath[str], subject: NamedDependency[Subject], hit_desk: NamedDependency[HitDesk]
) -> HitDetail:
    """Let it go."""
    return await hit_desk.release(hit_id, subject)


@post("/hits/{hit_id:str}/verdict", opt={"action": "hits.check"}, status_code=200)
async def decide_hit(
    hit_id: FromPath[str],
    data: JSONBody[VerdictRequest],
    subject: NamedDependency[Subject],
    hit_desk: NamedDependency[HitDesk],
) -> HitDetail:
    """The verdict, as a fact at once."""
    return await hit_desk.decide(hit_id, subject, data.verdict, seen_fact=data.seen_fact, note=data.note)


@post("/hits/{hit_id:str}/undo", opt={"action": "hits.check"}, status_code=200)
async def undo_hit(
    hit_id: FromPath[str],
    data: JSONBody[UndoRequest],
    subject: NamedDependency[Subject],
    hit_desk: NamedDependency[HitDesk],
) -> HitDetail:
    """Take back the newest outcome or verdict."""
    return await hit_desk.undo(hit_id, subject, seen_fact=data.seen_fact)


@post("/hits/{hit_id:str}/outcome", opt={"action": "hits.check"}, status_code=200)
async def record_outcome(
    hit_id: FromPath[str],
    data: JSONBody[OutcomeRequest],
    subject: NamedDependency[Subject],
    hit_desk: NamedDependency[HitDesk],
) -> HitDetail:
    """What came of a confirmed hit; 409 `outcome-before-check` where it is not."""
    return await hit_desk.come_out(hit_id, subject, data.outcome, seen_fact=data.seen_fact, note=data.note)


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@get("/lists", opt={"action": "lists.view"})
async def view_lists(list_keeper: NamedDependency[ListKeeper]) -> ListsView:
    """All lists and how far the version in force has got."""
    return await list_keeper.lists_view()


@post("/lists", opt={"action": "lists.edit"}, status_code=201)
async def create_list(
    data: JSONBody[ListNameRequest], subject: NamedDependency[Subject], list_register: NamedDependency[ListRegister]
) -> ListDeedAnswer:
    """A new, empty list."""
    return await list_register.create(data, subject)


@post("/lists/{list_id:str}/name", opt={"action": "lists.edit"}, status_code=200)
async def rename_list(
    list_id: FromPath[str],
    data: JSONBody[ListNameRequest],
    subject: NamedDependency[Subject],
    list_register: NamedDependency[ListRegister],
) -> ListDeedAnswer:
    """Another name or source; entries stay as they are."""
    return await list_register.rename(list_id, data, subject)


@post("/lists/{list_id:str}/close", opt={"action": "lists.edit"}, status_code=200)
async def close_list(
    list_id: FromPath[str],
    data: JSONBody[ListCloseRequest],
    subject: NamedDependency[Subject],
    list_register: NamedDependency[ListRegister],
) -> ListDeedAnswer:
    """Take its entries off as one version and close it; 409 `list-removal` where their number is another."""
    return await list_register.close(list_id, data, subject)


@post("/lists/{list_id:str}/reopen", opt={"action": "lists.edit"}, status_code=200)
async def reopen_list(
    list_id: FromPath[str], subject: NamedDependency[Subject], list_register: NamedDependency[ListRegister]
) -> ListDeedAnswer:
    """Open a closed list again; what closing took off comes back by undoing its version."""
    return await list_register.reopen(list_id, subject)


@get("/lists/{list_id:str}/entries", opt={"action": "lists.view"})
async def list_entries(
    list_id: FromPath[str], list_keeper: NamedDependency[ListKeeper], cursor: FromQuery[str] = ""
) -> EntryPage:
    """Entries, the newest change first."""
    return await list_keeper.entries_page(list_id, cursor=cursor)


@post("/lists/{list_id:str}/find", opt={"action": "lists.view"}, status_code=200)
async def find_entries(
    list_id: FromPath[str], data: JSONBody[EntryFindRequest], list_keeper: NamedDependency[ListKeeper]
) -> EntryPage:
    """Entries by plate, case number or reason; asked in the body, since addresses end in logs."""
    return await list_keeper.entries_page(list_id, cursor=data.cursor, find=data.find)


@post("/lists/{list_id:str}/changes", opt={"action": "lists.edit"}, status_code=200)
async def change_list(
    list_id: FromPath[str],
    data: JSONBody[ListChangeRequest],
    subject: NamedDependency[Subject],
    list_keeper: NamedDependency[ListKeeper],
) -> ListChangeAnswer:
    """Save as one new version."""
    return await list_keeper.change(list_id, data, subject)


@post("/lists/undo", opt={"action": "lists.edit"}, status_code=200)
async def undo_version(
    data: JSONBody[UndoVersionRequest], subject: NamedDependency[Subject], list_keeper: NamedDependency[ListKeeper]
) -> ListChangeAnswer:
    """Take a version back as a new one."""
    return await list_keeper.undo(data.version, subject)


@get("/lists/{list_id:str}/export.csv", opt={"action": "lists.export"}, responses=TABLE)
async def export_list(list_id: FromPath[str], list_keeper: NamedDependency[ListKeeper]) -> Stream:
    """The list as a file that the import takes back."""
    await list_keeper.require_list(list_id)
    return Stream(list_keeper.export_csv(list_id), media_type=CSV, headers=_as_file(f"list-{list_id}"))


@post("/plates/inspect", opt={"action": "lists.view"}, status_code=200)
async def inspect_plate(
    data: JSONBody[InspectRequest], list_keeper: NamedDependency[ListKeeper]
) -> PlateInspectionView:
    """The typing guard."""
    return await list_keeper.inspect(data.plate)


# ── imports ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class ImportForm(msgspec.Struct):
    """`mode`: add | replace. `encoding` and `columns` (JSON, our field → the file's header, `#3` or `=text`) where a person
    chose them; `header`: yes | no, whether the first row names the columns."""

    file: UploadFile
    mode: str = "add"
    encoding: str = ""
    columns: str = ""
    header: str = "yes"


@post(
    "/lists/{list_id:str}/imports",
    opt={"action": "lists.edit", "body_bytes_max": BYTES_MAX + 65_536},
    request_max_body_size=BYTES_MAX + 65_536,
)
async def plan_import(
    list_id: FromPath[str],
    data: Annotated[ImportForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    subject: NamedDependency[Subject],
    list_importer: NamedDependency[ListImporter],
) -> ImportPlan:
    """What importing the file would do; nothing changes yet."""
    columns: Any = None
    if data.columns:
        try:
            columns = msgspec.json.decode(data.columns, type=dict[str, str])
        except msgspec.MsgspecError as error:
            raise InputRefusedError("The columns are no JSON object of texts.", reference="import-columns") from error
    body = await data.file.read()
    return await list_importer.plan(
        list_id,
        body,
        subject,
        file_name=data.file.filename,
        mode=data.mode,
        encoding=data.encoding,
        columns=columns,
        headed=data.header != "no",
    )


@get("/imports/{import_id:str}", opt={"action": "lists.edit"})
async def view_import(import_id: FromPath[str], list_importer: NamedDependency[ListImporter]) -> ImportPlan:
    """A plan as it stands."""
    return await list_importer.get(import_id)


@post("/imports/{import_id:str}/apply", opt={"action": "lists.edit"}, status_code=200)
async def apply_import(
    import_id: FromPath[str],
    subject: NamedDependency[Subject],
    list_importer: NamedDependency[ListImporter],
    data: JSONBody[ImportApplyRequest | None] = None,
) -> ImportPlan:
    """Do what the plan says, in one transaction."""
    confirmed = None if data is None else data.confirm_removal
    return await list_importer.apply(import_id, subject, confirm_removal=confirmed)


@post("/imports/{import_id:str}/undo", opt={"action": "lists.edit"}, status_code=200)
async def undo_import(
    import_id: FromPath[str], subject: NamedDependency[Subject], list_importer: NamedDependency[ListImporter]
) -> ImportPlan:
    """Take an applied import back."""
    return await list_importer.undo(import_id, subject)


@get("/imports/{import_id:str}/refused.csv", opt={"action": "lists.edit"}, responses=TABLE)
async def export_refused(import_id: FromPath[str], list_importer: NamedDependency[ListImporter]) -> Response[bytes]:
    """The rows that were not taken, with the reason."""
    body = await list_importer.refused_csv(import_id)
    return Response(body, media_type=CSV, headers=_as_file("refused"))


watch_router = Router(
    path="/api",
    route_handlers=[
        list_hits, export_hits, view_hit, claim_hit, keep_hit, release_hit, decide_hit, undo_hit, record_outcome,
        view_lists, create_list, rename_list, close_list, reopen_list, list_entries, find_entries, change_list, undo_version, export_list, inspect_plate,
        plan_import, view_import, apply_import, undo_import, export_refused,
    ],
    tags=["watch"],
)  # fmt: skip
