#!/usr/bin/env python3
"""The alert rules and the dashboard against the metrics of a running server.

    monitoring_test.py PROMTOOL RULES DASHBOARD

Each rule fires when it should and is quiet when it should; the rules and the dashboard name only
metrics and labels that the server gives.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from branches import ERROR, Branches
from harness import Server, until

failures = []
PROMTOOL, RULES, DASHBOARD = map(os.path.abspath, sys.argv[1:4])

HERE = '{job="belay",instance="a"}'
HOST = '{job="belay",instance="a",host="http://b.example"}'
NAME = '{job="belay",instance="a",name="%s"}'
INFO = f"belay_build_info{HERE}"
LABELS_OF_PROMETHEUS = {"job", "instance"}
KEYWORDS = {"and", "or", "unless", "offset", "bool", "by", "without", "on", "ignoring",
            "group_left", "group_right"}


def check(passed, what):
    if not passed:
        failures.append(what)
    print(f"ok   {what}"[:400] if passed else f"FAIL {what}", flush=True)


def run(*words, stdin=None):
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


# Of each rule: series that make it fire, series that do not, and the minute of the look. A series
# is a name and its samples, one a minute, in promtool's notation.
def series(**names):
    return {name + HERE: samples for name, samples in names.items()}


CASES = {
    "BelayAbsent": [{"other" + HERE: "1x60"}, {INFO: "1x60"}, 20],
    "BelayGone": [{INFO: "1x60 _x60", "other" + HERE: "1x120"}, {INFO: "1x120"}, 80],
    "BelayRestarts": [
        {INFO: "1x60", "process_start_time_seconds" + HERE: "1+100x60"},
        # Another program's.
        {INFO: "1x60", 'process_start_time_seconds{job="other",instance="b"}': "1+100x60"}, 30],
    "BelayStorage": [series(belay_storage_ok="1x5 0x20"),
                     series(belay_storage_ok="1x8 0 1x20"), 10],
    "BelayStuck": [series(belay_transactions_stuck="0x5 3x30"),
                   series(belay_transactions_stuck="0x5 3x8 0x30"), 20],
    "BelayOldestUnfinished": [series(belay_oldest_unfinished_seconds="3700+60x20"),
                              series(belay_oldest_unfinished_seconds="3500x20"), 10],
    "BelayBreakerOpen": [{"belay_host_breaker_state" + HOST: "0x3 1 2 1 1 2 1x20"},
                         {"belay_host_breaker_state" + HOST: "0x3 1 2 0 1 2 0 1x3 0x20"}, 15],
    # Two names of one registry are one alert; "other" is of no known registry.
    "BelayRegistryAway": [
        {"belay_name_stale_seconds" + NAME % "etcd://h:1/a": "0x3 0+60x20",
         "belay_name_stale_seconds" + NAME % "etcd://h:1/b": "0x3 0+60x20"},
        {"belay_name_stale_seconds" + NAME % "etcd://h:1/a": "0x3 0 60 120 180 240 300 0x20"}, 12],
    "BelayDueLag": [series(belay_due_lag_seconds="0x3 6x20"),
                    series(belay_due_lag_seconds="0x3 6x3 0 6x3 0x20"), 12],
    "BelayCommitSlow": [
        series(belay_commit_seconds_total="0+180x30", belay_commits_total="0+600x30"),
        series(belay_commit_seconds_total="0+60x30", belay_commits_total="0+600x30"), 25],
    "BelayQueueNearLimit": [
        series(belay_submits_queued="90x20", belay_submits_queued_max="100x20"),
        series(belay_submits_queued="70x20", belay_submits_queued_max="100x20",
               belay_submits_queued_bytes="70x20", belay_submits_queued_bytes_max="100x20"), 10],
    "BelayTransactionsNearLimit": [
        series(belay_transactions_live_bytes="90x20", belay_transactions_live_bytes_max="100x20"),
        series(belay_transactions_live="70x20", belay_transactions_live_max="100x20",
               belay_transactions_live_bytes="70x20", belay_transactions_live_bytes_max="100x20"),
        10],
    "BelayWalLarge": [series(belay_wal_bytes="300000000x30"), series(belay_wal_bytes="90000000x30"),
                      20],
    "BelayShortage": [
        series(belay_shortages_total="0x10 1x20", belay_http_shortages_total="0x30"),
        series(belay_shortages_total="5x30", belay_http_shortages_total="5x30"), 15],
    "BelayDescriptors": [
        {INFO: "1x20", "process_open_fds" + HERE: "90x20", "process_max_fds" + HERE: "100x20"},
        {INFO: "1x20", "process_open_fds" + HERE: "10x20", "process_max_fds" + HERE: "100x20"}, 10],
    "BelayHttpRefused": [series(belay_http_refused_total="0+120x30"),
                         series(belay_http_refused_total="0+30x30"), 20],
    "BelayWebhook": [series(belay_alerts_dropped_total="0x10 1x30"),
                     series(belay_alerts_dropped_total="3x40"), 20],
    "BelayLogLinesDropped": [series(belay_log_lines_dropped_total="0x10 7x30"),
                             series(belay_log_lines_dropped_total="7x40"), 15],
}


# promtool reads YAML, of which JSON is a part.
def rule_test(name, given, minute, fires):
    alerts = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
    return {"name": f"{name} {'fires' if fires else 'is quiet'}", "interval": "1m",
            "input_series": [{"series": one, "values": values} for one, values in given.items()],
            "promql_expr_test": [{"expr": alerts, "eval_time": f"{minute}m",
                                  "exp_samples": [{"labels": "{}", "value": 1}] if fires else []}]}


def message_test():
    """What a person reads, with its values filled in."""
    return {"interval": "1m", "input_series": [
        {"series": "belay_transactions_stuck" + HERE, "values": "3x30"}],
        "alert_rule_test": [{"eval_time": "20m", "alertname": "BelayStuck", "exp_alerts": [{
            "exp_labels": {"severity": "warning", "job": "belay", "instance": "a"},
            "exp_annotations": {
                "summary": "3 transactions of belay at a are stuck.",
                "description": "`belay stuck --by error` shows the causes, `belay why GID` what "
                               "helps. They go on by themselves when their cause is gone; `belay "
                               "replay --all-stuck` makes the calls at once."}}]}]}


def promtool_tests(folder, tests):
    path = os.path.join(folder, "tests.yml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"rule_files": [RULES], "evaluation_interval": "1m", "tests": tests}, file)
    return run(PROMTOOL, "test", "rules", path)


def rules(folder):
    with open(RULES, encoding="utf-8") as file:
        names = re.findall(r"^\s*- alert: (\w+)$", file.read(), re.MULTILINE)
    check(sorted(names) == sorted(CASES), "each rule has its cases")
    code, output = run(PROMTOOL, "check", "rules", RULES)
    check(code == 0 and f"{len(names)} rules found" in output, f"the rules are rules: {output}")
    tests = [message_test()]
    for name, (firing, quiet, minute) in CASES.items():
        tests += [rule_test(name, firing, minute, True), rule_test(name, quiet, minute, False)]
    code, output = promtool_tests(folder, tests)
    check(code == 0, f"each rule fires when it should, and only then: {output}")
    # The test itself can fail.
    firing, quiet, minute = CASES["BelayStuck"]
    for given, fires in ((quiet, True), (firing, False)):
        code, _ = promtool_tests(folder, [rule_test("BelayStuck", given, minute, fires)])
        check(code != 0, "a wrong expectation is noticed")


def commands_are_real():
    """A command that an annotation names is one."""
    with open(RULES, encoding="utf-8") as file:
        named = set(re.findall(r"`(belay [^`]*)`", " ".join(file.read().split())))
    check(len(named) > 5, "the rules name commands")
    for command in sorted(named):
        words = [word for word in command.split()[1:] if word != "GID"]
        code, output = run(os.environ["BELAY_PROGRAM"], words[0], "--help")
        options = [word for word in words[1:] if word.startswith("--")]
        check(code == 0 and all(f"{option} " in output for option in options), command)


def described(metrics):
    """The names and labels of Prometheus' text format."""
    names = {line.split("{")[0].split(" ")[0] for line in metrics.splitlines()
             if line and not line.startswith("#")}
    names |= {found[1] for found in re.finditer(
        r"^# TYPE (\w+) (?:counter|gauge)$", metrics, re.MULTILINE)}
    labels = {found[1] for line in metrics.splitlines() if not line.startswith("#")
              for found in re.finditer(r'[{,](\w+)="', line)}
    return names, labels


def used(expr):
    """The metrics and labels that an expression names."""
    made = set(re.findall(r'label_replace\([^"]*"(\w+)"', expr))
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expr)
    labels = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", text))
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
    grouped = r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)"
    for found in re.finditer(grouped, text):
        labels |= set(re.findall(r"\w+", found[1]))
    text = re.sub(grouped, " ", text)
    text = re.sub(r"\boffset\s+\w+", " ", text)
    names = {found[1] for found in re.finditer(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()", text)}
    return names - KEYWORDS, labels - made


def names_exist(exprs, metrics, what):
    names, labels = described(metrics)
    unknown, strange = set(), set()
    for expr in exprs:
        used_names, used_labels = used(expr)
        check(used_names, f"names a metric: {expr}")
        unknown |= used_names - names
        strange |= used_labels - labels - LABELS_OF_PROMETHEUS
    check(not unknown, f"{what}: names no unknown metric: {sorted(unknown)}")
    check(not strange, f"{what}: names no unknown label: {sorted(strange)}")


def rule_exprs():
    """As promtool reads them: folded lines are joined."""
    exprs, folded = [], None
    with open(RULES, encoding="utf-8") as file:
        for line in file:
            begin = re.match(r"^\s*expr: (.*)$", line)
            if begin and begin[1] != ">-":
                exprs.append(begin[1])
            elif begin:
                folded = []
            elif folded is not None and re.match(r"^\s*\w+:", line):
                exprs.append(" ".join(folded))
                folded = None
            elif folded is not None:
                folded.append(line.strip())
    return exprs


def dashboard(folder, metrics):
    with open(DASHBOARD, encoding="utf-8") as file:
        board = json.load(file)
    panels = board["panels"]
    ids = [panel["id"] for panel in panels]
    check(len(ids) > 20 and len(ids) == len(set(ids)), "each panel has an id of its own")
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        check(cells and at["x"] + at["w"] <= 24 and not cells & taken,
              f"has a place of its own: {panel['title']}")
        taken |= cells
    variables = {one["name"] for one in board["templating"]["list"]}
    check(variables == {"datasource", "job", "instance"}, "the variables are as they should be")
    asking = [panel for panel in panels if panel["type"] != "row"]
    check(all(panel["datasource"]["uid"] == "${datasource}" for panel in asking),
          "each panel asks the chosen data source")
    exprs = [target["expr"] for panel in asking for target in panel["targets"]]
    check(all(panel["targets"] for panel in asking), "each panel asks something")
    check("$" not in "".join(exprs).replace("$job", "").replace("$instance", "").replace(
        "$__rate_interval", ""), "no expression has an unknown variable")
    plain = [expr.replace("$__rate_interval", "5m") for expr in exprs]
    path = os.path.join(folder, "exprs.yml")
    wrapped = [{"record": f"e:{i}", "expr": expr} for i, expr in enumerate(plain)]
    for rule, passes in ((wrapped, True), (wrapped + [{"record": "e:x", "expr": "sum(("}], False)):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rule}]}, file)
        code, output = run(PROMTOOL, "check", "rules", path)
        check((code == 0) == passes, f"the expressions parse: {passes}: {output[:2000]}")
    names_exist(plain, metrics, "dashboard")


def metrics_of_a_server():
    """Of one that has called, was refused something, and has stuck transactions."""
    branches = Branches()
    branches.always("/bad", ERROR)
    with Server("--stuck-after", "1") as server:
        for gid, target in (("good", branches.url("/good")), ("bad", branches.url("/bad")),
                            ("away", "http+etcd://127.0.0.1:1/stock/take")):
            server.dtm("submit", {"gid": gid, "trans_type": "saga", "payloads": ["{}"],
                                  "steps": [{"action": target, "compensate": ""}]})
        server.request("GET", "/metrics", headers={"Host": "evil.example"})
        check(until(lambda: "\nbelay_transactions_stuck 2\n" in server.get("/metrics").text),
              "the server says what is stuck")
        server.wait_status("good", "succeed")
        metrics = server.get("/metrics").text
    branches.close()
    return metrics


def main():
    folder = tempfile.mkdtemp(prefix="belay-monitoring-")
    rules(folder)
    commands_are_real()
    metrics = metrics_of_a_server()
    code, output = run(PROMTOOL, "check", "metrics", stdin=metrics)
    check(code == 0, f"the metrics are as Prometheus asks: {output}")
    exprs = rule_exprs()
    check(len(exprs) == len(CASES), "each rule's expression is read")
    names_exist(exprs, metrics, "rules")
    dashboard(folder, metrics)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    os.rmdir(folder)
    print(f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
