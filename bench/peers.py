"""Peers for the ingest figure: a plain echo of the same batch (the limit), and the usual way (FastAPI, pydantic, ORM)."""

import sys
from pathlib import Path
from typing import Any

import uvicorn


def echo_app() -> Any:
    """Take the body, give its length back: what HTTP alone allows with the same framework."""
    from litestar import Litestar, Request, post

    @post("/device/v1/batches", status_code=200)
    async def echo(request: Request) -> dict[str, int]:  # type: ignore[type-arg]
        return {"bytes": len(await request.body())}

    return Litestar([echo], openapi_config=None)


def usual_app(folder: Path, entries: int) -> Any:
    """The same job as most would write it: models that validate, an ORM session a batch, a set of plates."""
    import base64
    import random

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from fastapi import FastAPI, Request
    from pydantic import BaseModel
    from sqlalchemy import Float, Integer, String, UniqueConstraint, create_engine, event, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class ReadRow(Base):
        __tablename__ = "reads"
        __table_args__ = (UniqueConstraint("device_id", "boot", "sequence"),)
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        device_id: Mapped[str] = mapped_column(String)
        boot: Mapped[int] = mapped_column(Integer)
        sequence: Mapped[int] = mapped_column(Integer)
        captured_ms: Mapped[int] = mapped_column(Integer)
        text: Mapped[str] = mapped_column(String, index=True)
        raw_text: Mapped[str] = mapped_column(String)
        confidence_prob: Mapped[float] = mapped_column(Float)
        lat_deg: Mapped[float] = mapped_column(Float)
        lon_deg: Mapped[float] = mapped_column(Float)

    class PositionModel(BaseModel):
        lat_deg: float
        lon_deg: float
        fixed_ms: int

    class ReadModel(BaseModel):
        device_id: str
        boot: int
        sequence: int
        captured_ms: int
        text: str
        raw_text: str
        char_probs: list[float]
        confidence_prob: float
        position: PositionModel

    class BatchModel(BaseModel):
        device_id: str
        items: list[ReadModel]

    engine = create_engine(f"sqlite:///{folder / 'usual.sqlite'}")

    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Base.metadata.create_all(engine)
    rng = random.Random(7)
    letters, digits = "ABCDEFGHJKLMNPQRSTUVWXYZ", "012356789"
    watched = {"".join(rng.choices(letters, k=3)) + "".join(rng.choices(digits, k=4)) for _ in range(entries)}
    app = FastAPI()
    keys: dict[str, Ed25519PublicKey] = {}

    @app.post("/key/{device_id}")
    async def key(device_id: str, request: Request) -> dict[str, bool]:
        keys[device_id] = Ed25519PublicKey.from_public_bytes(await request.body())
        return {"ok": True}

    @app.post("/device/v1/batches")
    async def take(batch: BatchModel, request: Request) -> dict[str, int]:
        from guardian.domain.wire import signed_text

        body = await request.body()
        counter = int(request.headers["guardian-counter"])
        kind = request.headers["content-type"]
        text = signed_text("POST", "/device/v1/batches", batch.device_id, counter, body, content_type=kind)
        keys[batch.device_id].verify(base64.b64decode(request.headers["guardian-signature"]), text)
        with Session(engine) as session:
            known = set(
                session.scalars(
                    select(ReadRow.sequence).where(
                        ReadRow.device_id == batch.device_id,
                        ReadRow.boot == batch.items[0].boot,
                        ReadRow.sequence.between(batch.items[0].sequence, batch.items[-1].sequence),
                    )
                )
            )
            fresh = [i for i in batch.items if i.sequence not in known]
            session.add_all(
                ReadRow(
                    device_id=i.device_id,
                    boot=i.boot,
                    sequence=i.sequence,
                    captured_ms=i.captured_ms,
                    text=i.text,
                    raw_text=i.raw_text,
                    confidence_prob=i.confidence_prob,
                    lat_deg=i.position.lat_deg,
                    lon_deg=i.position.lon_deg,
                )
                for i in fresh
            )
            session.commit()
        return {"stored": len(fresh), "hits": sum(i.text in watched for i in fresh)}

    return app


if __name__ == "__main__":
    kind, port, folder, count = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    application = echo_app() if kind == "echo" else usual_app(folder, count)
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="error", loop="uvloop", http="httptools")
