"""`polyphonie keys`: who may call the service."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.terminal import say
from service.errors import BadInput, BadSetting

if TYPE_CHECKING:
    from service.store.keys import Scope

keys = typer.Typer(no_args_is_help=True)

DEFAULT_SCOPES = "read,draft,review"


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who: what audit log and revisions say.")],
    scopes: Annotated[
        str, typer.Option(help="Some of read, draft, review, evaluate, admin; or all.", metavar="SCOPES")
    ] = DEFAULT_SCOPES,
    team: Annotated[
        str, typer.Option(help="Whose rounds it sees; keys of one team share them.", metavar="TEAM")
    ] = "default",
) -> None:
    """Make a key and print it, this once: the store holds a hash."""
    from service.settings import load_settings
    from service.store import keys as store_keys
    from service.wiring import store_for

    wanted = store_keys.SCOPES if scopes == "all" else _scopes(scopes)
    for what, text in (("NAME", name), ("--team", team)):
        if not text.strip() or len(text) > 200 or not text.isprintable():
            raise BadSetting(f"{what}: 1 to 200 printable characters are needed.")
    store = store_for(load_settings())
    with store.write() as connection:
        key, secret = store_keys.create(connection, name, team=team, scopes=wanted)
    store.close()
    say(
        f"Key {key.name} of team {key.team}, scopes {', '.join(key.scopes)}. It is shown this once; keep it safe:"
    )
    print(secret)


@keys.command("list")
def list_() -> None:
    """Every key: name, team, scopes, made, last used, revoked."""
    from service.settings import load_settings
    from service.store import keys as store_keys
    from service.wiring import store_for

    store = store_for(load_settings())
    with store.read() as connection:
        found = store_keys.listing(connection)
    store.close()
    for key in found:
        used = f"last used {key.used_at}" if key.used_at else "never used"
        state = f"revoked {key.revoked_at[:16]}Z" if key.revoked_at else used
        print(
            f"{key.name:<20} {key.team:<12} {','.join(key.scopes):<34} made {key.created_at[:16]}Z, {state}"
        )


@keys.command()
def revoke(name: Annotated[str, typer.Argument(help="Name or id of the key.")]) -> None:
    """Revoke a key: once this command is done, no request with it is answered."""
    from service.settings import load_settings
    from service.store import keys as store_keys
    from service.wiring import store_for

    store = store_for(load_settings())
    with store.write() as connection:
        gone = store_keys.revoke(connection, name)
    store.close()
    if not gone:
        raise BadInput(f"no key {name} is in force. `polyphonie keys list` shows them.")
    time.sleep(store_keys.TRUSTED_SECONDS)  # for as long a service trusts a key that it has just looked up
    say(f"Key {name} is revoked.")


def _scopes(text: str) -> "tuple[Scope, ...]":
    from service.store import keys as store_keys

    wanted = {part.strip() for part in text.split(",") if part.strip()}
    unknown = sorted(wanted - set(store_keys.SCOPES))
    if unknown or not wanted:
        raise BadSetting(
            f"--scopes {text}: {', '.join(unknown) or 'none'} is no scope. Accepted: {', '.join(store_keys.SCOPES)}, all."
        )
    return tuple(s for s in store_keys.SCOPES if s in wanted)
