"""C++ as text: comments and strings blanked out, and where functions begin and end.

A rough reader, not a parser: it knows what this code base writes and errs towards finding less.
"""

import re

_TOKENS = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.S)


def _blank(match):
    text = match.group()
    keep = '""' if text.endswith('"') else ""
    return keep + "".join(c if c == "\n" else " " for c in text[len(keep):])


def without_comments_and_strings(text):
    """The same length and lines, with comments, strings and character literals blanked."""
    return _TOKENS.sub(_blank, text)


def _without_preprocessor(code):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                  lambda m: "".join(c if c == "\n" else " " for c in m.group()), code, flags=re.M)


_SCOPE = re.compile(r"(^|\s)(namespace|class|struct|union|enum|extern)\b|^\s*TEST_SUITE\b")
_AFTER_PARAMETERS = re.compile(
    r"\)(\s*(const|noexcept(\([^()]*\))?|override|final|mutable|&&?|requires\b.*|->.*|try))*\s*$",
    re.S)


def _kind(head):
    """What a `{` opens, from the text since the last `;`, `{` or `}`: scope, function or init."""
    head = head.strip()
    head = re.sub(r"^((public|private|protected)\s*:\s*)+", "", head)
    if _SCOPE.search(re.sub(r"<[^<>]*>|\([^()]*\)", "", head)) and not head.endswith(")"):
        return "scope"
    if head.startswith("TEST_SUITE"):
        return "scope"
    initialisers = re.search(r"\)\s*(noexcept\s*)?:\s*[^:]", head)
    if initialisers and re.search(r"[\w>]$", head) and not head.endswith("noexcept"):
        return "init"
    if _AFTER_PARAMETERS.search(head) or (initialisers and head.endswith("}")):
        return "function"
    return "init"


def _name(head):
    case = re.search(r"TEST_CASE", head)
    if case:
        return "this test case"
    match = re.search(r"([\w:~]+|operator\S+)\s*\(", head)
    return match.group(1) if match else "this function"


def functions(text):
    """Yields (name, line, lines from `{` to `}`) of each outermost function body."""
    code = _without_preprocessor(without_comments_and_strings(text))
    stack, head, line = [], "", 1
    for char in code:
        if char == "\n":
            line += 1
        inside = any(kind == "function" for kind, _, _ in stack)
        if char == "{":
            kind = "block" if inside else _kind(head)
            stack.append((kind, _name(head), line))
            head = head + "{" if kind == "init" else ""
        elif char == "}":
            kind, name, start = stack.pop() if stack else ("block", "", line)
            if kind == "function":
                yield name, start, line - start + 1
            head = head + "}" if kind == "init" else ""
        elif char == ";" and not any(kind == "init" for kind, _, _ in stack):
            head = ""
        elif not inside:
            head += char
