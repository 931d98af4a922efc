"""Write docs/reference/: settings, errors, audit events, kept data and calls, from the code that means them.

    python scripts/reference.py           write the pages
    python scripts/reference.py --check   say which pages are stale, and fail if any is

`pages` makes the texts in memory; tests/architecture/test_reference.py compares them byte for byte.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as shapes

from sekisho import audit, catalogue
from sekisho.errors import Refusal, all_refusals
from sekisho.http.refusals import CHALLENGES, STATUS
from sekisho.http.routes import COMMON, DEV_ROUTES, OF_BODIES, OF_SESSION, ROUTES, Route, refusals_of
from sekisho.passwords.policy import PasswordPolicy, Profile
from sekisho.passwords.strength import HINTS
from sekisho.settings import Settings, Variable, reference
from sekisho.storage.data_classes import REGISTER
from sekisho.ui.pages import HostedPages

TEXTS = Path(__file__).parent / "reference_texts"
FOLDER = Path(__file__).parent.parent / "docs" / "reference"
MADE_ELSEWHERE = {"security.md", "security.ja.md"}
"""Pages of the same folder that scripts/security_reference.py makes."""
MADE_BY = "<!-- Made by scripts/reference.py. Change the code that it reads, then run `make docs`. -->\n\n"

LIMITS_OF = {
    "login": ("limits.login_failures", "limits.login_network_failures", "limits.login_failures_per_day"),
    "password": ("limits.login_failures",),
    "code_sends": ("limits.code_sends", "limits.code_sends_per_day", "limits.code_network_sends"),
    "sms_sends": (
        "sms.number_sends",
        "sms.number_sends_per_day",
        "sms.account_sends_per_day",
        "sms.network_sends_per_day",
        "sms.sends_per_day",
    ),
    "factor": ("limits.factor_failures", "limits.factor_failures_per_day"),
    "not_me": ("limits.login_network_failures",),
    "code_tries": ("limits.code_tries", "limits.code_failures_per_day"),
}
"""The settings behind each rule that the route table names."""


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    return {
        "settings.md": settings_page("en"),
        "settings.ja.md": settings_page("ja"),
        "errors.md": errors_page("en"),
        "errors.ja.md": errors_page("ja"),
        "audit.md": audit_page("en"),
        "audit.ja.md": audit_page("ja"),
        "data.md": data_page("en"),
        "data.ja.md": data_page("ja"),
        "http.md": http_page(),
    }


SETTINGS_HEADS = {
    "en": ("variable", "meaning", "values", "default", "example", "other names"),
    "ja": ("変数", "意味", "値", "既定値", "例", "別名"),
}
KINDS_JA = {"number": "数値", "text": "文字列", "secret": "秘密の値", "path": "パス", "list": "リスト"}
GENERAL = {"en": "general", "ja": "全般"}


PROFILES_HEADS = {
    "en": ("profile", "fewest characters", "kinds of characters", "least score of the estimate"),
    "ja": ("規則", "最小の文字数", "文字の種類", "強度スコアの下限"),
}
NO_CLASSES = {"en": "any", "ja": "指定なし"}
CLASSES = {
    "en": "at least one capital letter, small letter, digit and symbol",
    "ja": "英大文字、英小文字、数字、記号をそれぞれ 1 文字以上",
}


WITHOUT_CLASSES = "nine quiet herons over the pond"
"""Good enough for every profile that asks for no kinds of characters."""


def settings_page(language: str) -> str:
    text = MADE_BY + _introduction("settings", language)
    for group, members in groupby(reference(), key=_group_of):
        rows = [_setting_row(variable, language) for variable in members]
        text += f"## {group or GENERAL[language]}\n\n{_table(SETTINGS_HEADS[language], rows)}\n"
        if group == "password":
            text += _profiles(language)
    return text.rstrip("\n") + "\n"


def _profiles(language: str) -> str:
    """Return what each password profile asks for."""
    rows = []
    for profile in Profile:
        policy = PasswordPolicy(profile)
        kinds = NO_CLASSES[language] if _lets_pass(policy, WITHOUT_CLASSES) else CLASSES[language]
        rows.append((_code(profile), str(policy.min_length), kinds, str(policy.min_score)))
    return _introduction("profiles", language) + _table(PROFILES_HEADS[language], rows) + "\n"


def _lets_pass(policy: PasswordPolicy, password: str) -> bool:
    try:
        policy.check(password, email="")
    except Refusal:
        return False
    return True


def _group_of(variable: Variable) -> str:
    return variable.path.partition(".")[0] if "." in variable.path else ""


def _setting_row(variable: Variable, language: str) -> tuple[str, ...]:
    kind = variable.kind if language == "en" else KINDS_JA.get(variable.kind, variable.kind)
    bounds = _bounds(variable)
    return (
        _code(variable.name),
        (variable.en if language == "en" else variable.ja).replace("<", "&lt;"),
        f"{kind}, {bounds}" if bounds else kind,
        _code(variable.default),
        _code(variable.example),
        ", ".join(_code(alias) for alias in variable.aliases),
    )


def _bounds(variable: Variable) -> str:
    """Return the smallest and the largest value of a number, as `5–60`."""
    model: Any = Settings
    names = variable.path.replace("mail.from", "mail.sender").split(".")
    for name in names[:-1]:
        model = model.model_fields[name].annotation
    metadata = model.model_fields[names[-1]].metadata
    least = next((rule.ge for rule in metadata if hasattr(rule, "ge")), None)
    most = next((rule.le for rule in metadata if hasattr(rule, "le")), None)
    return "" if least is None else f"{least}–{most}"


ERRORS_HEADS = {
    "en": ("code", "status", "when", "message"),
    "ja": ("コード", "ステータス", "どんなとき", "メッセージ"),
}
REASONS_TEXTS = {
    "en": "\n## Reasons\n\nWhy a field was refused, in `details` of `validation_error`.\n\n",
    "ja": "\n## 理由\n\n`validation_error` の `details` に入る、項目ごとの理由です。\n\n",
}
HINTS_TEXTS = {
    "en": "\n## Hints\n\nWhat would be a better password, in `details.password_hints`, the most telling first.\n\n",
    "ja": "\n## ヒント\n\n`details.password_hints` に入る、より良いパスワードにするための助言です (役に立つ順)。\n\n",
}
HINTS_HEADS = {"en": ("hint", "message"), "ja": ("ヒント", "メッセージ")}
REASONS_HEADS = {"en": ("reason", "message"), "ja": ("理由", "メッセージ")}
CHALLENGE_TEXTS = {
    "en": "\n## WWW-Authenticate\n\nWhat the header says beside these codes (RFC 6750 section 3).\n\n",
    "ja": "\n## WWW-Authenticate\n\n次のコードにはこのヘッダーが付きます (RFC 6750 3 節)。\n\n",
}
CHALLENGE_HEADS = {"en": ("code", "header"), "ja": ("コード", "ヘッダー")}
MISTAKE = "internal_server_error"
MISTAKE_WHEN = "A mistake of ours. `details.incident` is the number to look for in the log."


def errors_page(language: str) -> str:
    when = _when(language)
    codes = [
        (_code(refusal.code), str(STATUS[refusal]), when[refusal.code], _said(refusal.code, language))
        for refusal in all_refusals()
    ]
    codes.append((_code(MISTAKE), "500", when[MISTAKE], _said(MISTAKE, language)))
    reasons = [
        (_reason_named(key.removeprefix("reason.")), catalogue.text(key, language, min_length="…"))
        for key in sorted(catalogue.keys(language))
        if key.startswith("reason.")
    ]
    hints = [(_code(hint), catalogue.text(f"hint.{hint}", language)) for hint in sorted(HINTS.values())]
    challenges = [(_code(refusal.code), _code(value.decode())) for refusal, value in CHALLENGES.items()]
    return (
        MADE_BY
        + _introduction("errors", language)
        + _table(ERRORS_HEADS[language], codes)
        + REASONS_TEXTS[language]
        + _table(REASONS_HEADS[language], reasons)
        + HINTS_TEXTS[language]
        + _table(HINTS_HEADS[language], hints)
        + CHALLENGE_TEXTS[language]
        + _table(CHALLENGE_HEADS[language], challenges)
    )


def _when(language: str) -> dict[str, str]:
    """Return when each code is answered: in English the first words of its class."""
    if language == "ja":
        return msgspec.json.decode((TEXTS / "errors_when.ja.json").read_bytes(), type=dict[str, str])
    return {refusal.code: " ".join((refusal.__doc__ or "").split()) for refusal in all_refusals()} | {
        MISTAKE: MISTAKE_WHEN
    }


def _said(code: str, language: str) -> str:
    return catalogue.text(f"error.{code}", language, incident="…")


def _reason_named(key: str) -> str:
    """Return the reason's code; for a sentence of one field only, with that field."""
    field, _, code = key.rpartition(".")
    return f"{_code(code)} ({_code(field)})" if field else _code(code)


AUDIT_HEADS = {
    "en": ("event", "meaning", "outcome: reasons", "may carry"),
    "ja": ("イベント", "意味", "結果: 理由", "持ちうる項目"),
}
WORDS_TEXTS = {
    "en": "\n`actor` is {actors}. `method` holds the words of RFC 8176, with spaces between: {methods}.\n",
    "ja": "\n`actor` は {actors} のどれかです。`method` には RFC 8176 の語が空白区切りで入ります: {methods}。\n",
}


def audit_page(language: str) -> str:
    rows = [
        (
            _code(event),
            entry.en if language == "en" else entry.ja,
            "<br>".join(_outcome(outcome, reasons) for outcome, reasons in entry.reasons.items()),
            _codes(entry.fields),
        )
        for event, entry in audit.VOCABULARY.items()
    ]
    words = WORDS_TEXTS[language].format(actors=_codes(audit.ACTORS), methods=_codes(audit.METHODS))
    return MADE_BY + _introduction("audit", language) + _table(AUDIT_HEADS[language], rows) + words


def _outcome(outcome: str, reasons: Iterable[str]) -> str:
    named = _codes(reason for reason in reasons if reason)
    return f"{_code(outcome)}: {named}" if named else _code(outcome)


DATA_HEADS = {
    "en": ("table", "a row stays", "personal", "pseudonym", "secret"),
    "ja": ("表", "行を残す期間", "個人に関わる列", "仮名の列", "秘密の列"),
}


def data_page(language: str) -> str:
    rows = []
    for name, kept in REGISTER.items():
        columns = (_codes(each) for each in (kept.personal, kept.pseudonym, kept.secret))
        rows.append((_code(name), kept.en if language == "en" else kept.ja, *columns))
    return MADE_BY + _introduction("data", language) + _table(DATA_HEADS[language], rows)


def http_page() -> str:
    text = MADE_BY + _introduction("http", "en").format(
        common=_statuses(COMMON), bodies=_statuses(OF_BODIES), session=_statuses(OF_SESSION)
    )
    text += _table(("call", "what it does"), [(_link(route), route.summary) for route in ROUTES])
    text += "\n".join(("", *(_call(route) for route in ROUTES)))
    inner = {name: cls for route in ROUTES if route.answer for name, cls in _inner(route.answer).items()}
    text += "".join(f"\n## {name}\n\n{', '.join(_fields(cls))}\n" for name, cls in sorted(inner.items()))
    text += "\n## Pages\n\nFor people: HTML, and forms instead of JSON. See [the how-to](../how-to/pages.md).\n\n"
    text += _short_table(_pages(is_dev=False))
    text += "\n## Only in `sekisho dev`\n\n"
    only_there = {(route.method, route.path): route for route in (*_pages(is_dev=True), *DEV_ROUTES)}
    for route in _pages(is_dev=False):
        if route.path != "/":
            only_there.pop((route.method, route.path))
    return text + _short_table(only_there.values())


def _pages(*, is_dev: bool) -> tuple[Route, ...]:
    return HostedPages(
        product_name="Sekisho", min_length=PasswordPolicy(Profile.STANDARD).min_length, is_dev=is_dev
    ).routes


def _short_table(routes: Iterable[Route]) -> str:
    return _table(
        ("call", "what it does"), [(_code(f"{route.method} {route.path}"), route.summary) for route in routes]
    )


def _call(route: Route) -> str:
    lines = [f"## {route.method} {route.path}\n", f"{route.summary}.\n", f"- Who may call: {route.callers}"]
    if route.body is not None:
        optional = " (may be left out as a whole)" if route.body_optional else ""
        lines.append(f"- Body{optional}: {', '.join(_fields(route.body))}")
    answer = f": {', '.join(_fields(route.answer))}" if route.answer is not None else ""
    lines.append(f"- Answer: {route.status}{answer}")
    if route.or_answer is not None:
        lines.append(f"- Or: {route.status}: {', '.join(_fields(route.or_answer))}")
    lines.extend(_limit_lines(route))
    own = [refusal for refusal in refusals_of(route) if refusal in route.refusals]
    if own:
        lines.append(f"- Refusals of its own: {_statuses(own)}")
    return "\n".join(lines) + "\n"


def _limit_lines(route: Route) -> Iterator[str]:
    variables = {variable.path: variable for variable in reference()}
    for rule in route.limits:
        named = "; ".join(
            f"{_code(variables[path].name)} {variables[path].default} ({variables[path].en.rstrip('.')})"
            for path in LIMITS_OF[rule]
        )
        yield f"- Limits, {_code(rule)}: {named}"


def _fields(body: type[msgspec.Struct]) -> Iterator[str]:
    """Yield each field with its type and, where it says something, its default."""
    shape = shapes.type_info(body)
    assert isinstance(shape, shapes.StructType)
    for field in shape.fields:
        name = _code(field.encode_name + ("" if field.required else "?"))
        default = field.default
        said = "" if default in (None, msgspec.UNSET, msgspec.NODEFAULT) else f" (by default {_code(_json(default))})"
        yield f"{name} {_type(field.type)}{said}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode().strip('"')


def _inner(answer: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Return the shapes that stand inside an answer, by their names, at any depth."""
    shape = shapes.type_info(answer)
    found: dict[str, type[msgspec.Struct]] = {}
    for field in shape.fields if isinstance(shape, shapes.StructType) else ():
        kinds = field.type.types if isinstance(field.type, shapes.UnionType) else (field.type,)
        for kind in (part.item_type if isinstance(part, shapes.ListType) else part for part in kinds):
            if isinstance(kind, shapes.StructType):
                found |= {_shape_name(kind.cls): kind.cls, **_inner(kind.cls)}
    return found


def _shape_name(cls: type[Any]) -> str:
    return cls.__name__.removesuffix("View").lower()


def _type(shape: shapes.Type) -> str:
    match shape:
        case shapes.StrType(max_length=int(most)):
            return f"text of at most {most} characters"
        case shapes.StrType():
            return "text"
        case shapes.IntType():
            return "number"
        case shapes.BoolType():
            return "true or false"
        case shapes.EnumType(cls=cls):
            return " or ".join(_code(member.value) for member in cls)
        case shapes.ListType(item_type=item) | shapes.VarTupleType(item_type=item):
            return f"list of {_type(item)}"
        case shapes.DictType():
            return "object"
        case shapes.StructType(cls=cls):
            return f"[{_shape_name(cls)}](#{_shape_name(cls)})"
        case shapes.UnionType(types=types):
            return " or ".join(_type(part) for part in types if not isinstance(part, shapes.NoneType))
        case shapes.Metadata(type=inner):
            return _type(inner)
    if isinstance(shape, shapes.LiteralType):
        return " or ".join(_code(str(value)) for value in shape.values)
    raise TypeError(f"no words for {shape}")


def _introduction(page: str, language: str) -> str:
    """Return what a page says before its tables; written by hand."""
    return (TEXTS / f"{page}.{language}.md").read_text(encoding="utf-8") + "\n"


def _link(route: Route) -> str:
    """Return the call as a link to its heading, by the rule that GitHub makes anchors with."""
    heading = f"{route.method} {route.path}"
    anchor = "".join(mark for mark in heading.lower() if mark.isalnum() or mark in " -_").replace(" ", "-")
    return f"[{_code(heading)}](#{anchor})"


def _statuses(refusals: Iterable[type[Refusal]]) -> str:
    return ", ".join(f"{_code(refusal.code)} ({STATUS[refusal]})" for refusal in refusals)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(_code(word) for word in words)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def stale(folder: Path) -> list[str]:
    """Return the names of pages that differ from what the code says, that are missing, or that nothing makes."""
    made = pages()
    there = {path.name: path.read_bytes() for path in folder.glob("*.md") if path.name not in MADE_ELSEWHERE}
    names = sorted({*made, *there})
    return [name for name in names if name not in made or there.get(name) != made[name].encode()]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        wrong = stale(FOLDER)
        sys.stdout.write("".join(f"stale: docs/reference/{name}\n" for name in wrong))
        return 1 if wrong else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_bytes(text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
