// Drives every mode with client.mjs against services that succeed, say no, fail, time out, answer
// twice and die; their books must agree in the end.  client_test.mjs PORT_OF_BELAY_SERVE

import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { Dtm, Failure, Msg, NoAnswer, Saga, Tcc, Workflow, Xa } from "./client.mjs";

const OPTIONS = { retry_interval: 1, request_timeout: 1, timeout_to_fail: 25 };
// What each of the server's calls meets, by how often it was made before; who says no.
const CASES = {
  "all is well": [[], ""],
  "the second says no": [[], "02"],
  "answers get lost, so that all is done twice": [["unanswered"], ""],
  "services fail": [["error", "broken"], ""],
  "services take too long": [["hang"], ""],
  "services are gone for a while": [["lost", "lost"], ""],
  "the second says no, and undoing goes wrong": [["broken", "lost"], "02"],
};
const FIRST = { compensate: "action", rollback: "action", cancel: "try" };
const WHOLE = { saga: "action", msg: "action", tcc: "try confirm", xa: "action commit",
  workflow: "action" };
const UNDONE = { saga: "action compensate", tcc: "try cancel", xa: "action rollback",
  workflow: "action rollback", msg: "" };

// One participant with a barrier and a book, and the sender's own database for messages.
class Bank {
  constructor(plan, refused) {
    Object.assign(this, { plan, refused, rows: new Set(), book: new Map(), seen: new Map(),
      local: new Map(), resume: null });
    this.server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  async open() {
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    return this;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  url(path) {
    return `http://127.0.0.1:${this.server.address().port}${path}`;
  }

  apply(branch, op) {
    const first = FIRST[op];
    const nothingToUndo = first && !this.rows.has(`${branch} ${first}`);
    if (first) this.rows.add(`${branch} ${first}`);
    if (this.rows.has(`${branch} ${op}`)) return;
    this.rows.add(`${branch} ${op}`);
    if (!nothingToUndo) this.book.set(branch, [...(this.book.get(branch) ?? []), op]);
  }

  // Of the server's calls only: what a client does about its own is its own affair.
  #fault(path, query) {
    if (query.has("dtm") || path === "/workflow") return "";
    const key = `${path} ${query.get("branch_id")} ${query.get("op")}`;
    const times = this.seen.get(key) ?? 0;
    this.seen.set(key, times + 1);
    return this.plan[times] ?? "";
  }

  async #serve(request, response) {
    for await (const _ of request); // the body says nothing that matters here
    const { pathname, searchParams: query } = new URL(request.url, "http://here");
    const say = (status, text = "SUCCESS") => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ dtm_result: text }));
    };
    const fault = this.#fault(pathname, query);
    if (fault === "lost") return response.destroy();
    if (fault === "error") return say(500, "");
    if (pathname === "/query") return this.#sayWhetherCommitted(query, say);
    if (pathname === "/workflow") return this.resume().then(() => say(200), () => say(500, ""));
    const [branch, op] = [query.get("branch_id"), query.get("op")];
    const forward = ["action", "try"].includes(op) && query.get("trans_type") !== "msg";
    if (forward && branch === this.refused) return say(409, "FAILURE");
    if (op === "action" && query.get("trans_type") === "xa") await Xa.register(query);
    this.apply(branch, op);
    if (pathname === "/nested" && op === "try") {
      await Tcc.fromQuery(query).call(this.url("/leaf"), this.url("/leaf"), this.url("/leaf"), {});
    }
    if (fault === "unanswered") return response.destroy();
    if (fault === "hang") return undefined;
    return fault === "broken" ? say(500, "") : say(200);
  }

  #sayWhetherCommitted(query, say) {
    const gid = query.get("gid");
    if (!this.local.has(gid)) this.local.set(gid, "never");
    return this.local.get(gid) === "done" ? say(200) : say(409, "FAILURE");
  }

  wrong(mode, status, branches) {
    const book = Object.fromEntries([...this.book].map(([k, v]) => [k, v.join(" ")]));
    const left = status === "succeed"
      ? branches.length !== this.book.size || branches.some((b) => book[b] !== WHOLE[mode])
      : Object.values(book).some((entry) => entry !== UNDONE[mode]);
    return left ? `${mode} ${status}, but the book: ${JSON.stringify(book)}` : "";
  }
}

async function quietly(kinds, promise) {
  try {
    await promise;
  } catch (error) {
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
}

const MODES = {
  async saga(dtm, gid, bank) {
    const saga = new Saga(dtm, gid, OPTIONS);
    for (let i = 0; i < 3; ++i) saga.add(bank.url("/do"), bank.url("/undo"), { amount: 30 });
    await saga.submit();
    return ["01", "02", "03"];
  },
  async tcc(dtm, gid, bank) {
    const [all, nested] = [bank.url("/do"), bank.url("/nested")];
    await quietly([Failure], new Tcc(dtm, gid, OPTIONS).run(async (tcc) => {
      await tcc.call(nested, all, all, { amount: 30 });
      await tcc.call(all, all, all, { amount: 30 });
    }));
    return ["01", "0101", "02"];
  },
  async xa(dtm, gid, bank) {
    await quietly([Failure], new Xa(dtm, gid, OPTIONS).run(async (xa) => {
      await xa.call(bank.url("/xa"), { amount: 30 });
      await xa.call(bank.url("/xa"), { amount: 30 });
    }));
    return ["01", "02"];
  },
  async msg(dtm, gid, bank) {
    const msg = new Msg(dtm, gid, bank.url("/query"), OPTIONS);
    msg.add(bank.url("/do"), { amount: 30 }).add(bank.url("/do"), { amount: 30 });
    await msg.doAndSubmit(() => bank.local.set(gid, "done"));
    return ["01", "02"];
  },
  async "msg whose sender dies"(dtm, gid, bank) {
    const msg = new Msg(dtm, gid, bank.url("/query"), { ...OPTIONS, timeout_to_fail: 1 });
    await quietly([NoAnswer], msg.add(bank.url("/do"), { amount: 30 }).doAndSubmit(() => {
      bank.local.set(gid, "done");
      throw new NoAnswer("the sender dies");
    }));
    return ["01"];
  },
  async "workflow whose owner dies"(dtm, gid, bank) {
    const call = (op) => (branch) => dtm.callBranch(bank.url("/step"), { amount: 30 }, {
      gid, trans_type: "workflow", branch_id: branch, op,
    });
    const start = (dies) =>
      new Workflow(dtm, gid, "transfer", bank.url("/workflow"), OPTIONS).run(async (flow) => {
        await flow.step(call("action"), call("rollback"));
        if (dies) throw new NoAnswer("the owner dies");
        await flow.step(call("action"), call("rollback"));
        return "done";
      });
    bank.resume = () => start(false);
    await quietly([NoAnswer], start(true));
    return ["01", "02"];
  },
};

async function runCase(dtm, mode, [plan, refused]) {
  const bank = await new Bank(plan, refused).open();
  try {
    const gid = await dtm.newGid();
    const branches = await MODES[mode](dtm, gid, bank);
    let status = "";
    for (let i = 0; i < 400 && status !== "succeed" && status !== "failed"; ++i) {
      status = await dtm.status(gid);
      await pause(100);
    }
    const kind = mode.split(" ")[0];
    const expected = refused && kind !== "msg" ? "failed" : "succeed";
    const wrong = bank.wrong(kind, status, branches);
    return wrong || (status === expected ? "" : `${gid} is ${status}, not ${expected}`);
  } catch (error) {
    return error.stack;
  } finally {
    bank.close();
  }
}

const dtm = new Dtm(`http://127.0.0.1:${process.argv[2]}/api/dtmsvr`);
const runs = Object.keys(CASES).flatMap((name) => Object.keys(MODES).map((mode) => [name, mode]));
const results = await Promise.all(runs.map(([name, mode]) => runCase(dtm, mode, CASES[name])));
runs.forEach(([name, mode], i) => {
  console.log(`${results[i] ? "FAIL" : "ok  "} ${mode}: ${name}`);
  if (results[i]) console.log(`     ${results[i]}`);
});
const failed = results.filter(Boolean).length;
console.log(`${runs.length} cases, ${failed} failed`);
process.exit(failed ? 1 : 0);
