"""`python -m prompts.release`: enter the hashes of new prompt files into the lock. Old entries never change."""

import tomllib

from prompts.library import HERE, listing

if __name__ == "__main__":
    path = HERE / "lock.toml"
    old: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))["sha256"] if path.exists() else {}
    new = {f"{p.language}/{p.name}.v{p.version}": p.sha256 for p in listing()}
    merged = dict(sorted((new | old).items()))
    lines = [f'"{key}" = "{value}"' for key, value in merged.items()]
    path.write_text(
        "# Hashes of released prompts; written by `python -m prompts.release`.\n[sha256]\n"
        + "\n".join(lines)
        + "\n"
    )
    print(f"{len(merged)} prompts locked, {len(merged.keys() - old.keys())} of them new")
