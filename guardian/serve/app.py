"""One HTTP application out of all rooms; every route passes the access seam."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Router, get
from litestar.di import NamedDependency, Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

import guardian
from guardian.access.routes import router as access_router
from guardian.access.seam import unguarded_routes
from guardian.archive.routes import api_router as archive_api
from guardian.archive.routes import device_router as archive_device
from guardian.domain.errors import GuardianError
from guardian.domain.wire import BODY_BYTES_MAX
from guardian.fleet.routes import router as fleet_router
from guardian.serve.document import ArraysAsArrays
from guardian.serve.livefeed import LIVE_ROUTES
from guardian.serve.pages import PageFolders, get_basemap_file, get_console
from guardian.serve.reader import get_reader_model, get_reader_page, get_reader_program
from guardian.serve.wiring import Cloud
from guardian.watch.routes import watch_router


class Health(msgspec.Struct, frozen=True):
    """Whether the cloud answers, and what is behind."""

    status: str
    version: str
    archive_lag_reads: int


@get("/api/health", opt={"action": "health.view"})
async def get_health(cloud: NamedDependency[Cloud]) -> Health:
    """A sign of life; says nothing about anybody."""
    return Health("ok", guardian.__version__, cloud.filler.lag_reads)


def build_app(cloud: Cloud, *, console: Path, basemap: Path) -> Litestar:
    """The application over an opened cloud.

    Raises:
        GuardianError: a route names no action, or one that the policy does not know.
    """
    folders = PageFolders(console, basemap)
    services: dict[str, Any] = {
        "cloud": cloud,
        "ingest": cloud.ingest,
        "archive": cloud.archive,
        "search_desk": cloud.search_desk,
        "quarantine": cloud.quarantine,
        "photos": cloud.stores.photos,
        "photo_intake": cloud.photo_intake,
        "photo_grants": cloud.photo_grants,
        "hit_desk": cloud.hit_desk,
        "list_keeper": cloud.list_keeper,
        "list_importer": cloud.list_importer,
        "list_register": cloud.list_register,
        "fleet": cloud.fleet,
        "watchlist_updates": cloud.list_keeper,
        "live_feed": cloud.live_feed,
        "page_folders": folders,
        "now_ms": cloud.now_ms,
    }

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await cloud.close()

    def provide(service: Any) -> Provide:
        return Provide(lambda: service, sync_to_thread=False)

    app = Litestar(
        route_handlers=[
            get_health,
            *LIVE_ROUTES,
            access_router,
            archive_api,
            archive_device,
            watch_router,
            fleet_router,
            get_basemap_file,
            get_reader_page,
            get_reader_program,
            get_reader_model,
            get_console,
        ],
        plugins=[cloud.access.plugin(), ArraysAsArrays()],
        dependencies={name: provide(service) for name, service in services.items()},
        lifespan=[lifespan],
        openapi_config=OpenAPIConfig(
            title="警政安全守護雲",
            version=guardian.__version__,
            openapi_router=Router("/api", route_handlers=[], opt={"action": "openapi.view"}),
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )
    loose = unguarded_routes(app)
    if loose:
        raise GuardianError(
            f"Routes without a rule: {', '.join(loose)}.",
            reference="unguarded-route",
            hint="Give each an action in its opt and a row in access/policy.py.",
        )
    return app
