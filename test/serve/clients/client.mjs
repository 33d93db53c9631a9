// A client of dtm's HTTP protocol for Node's own modules: saga, TCC (nested too), XA, messages with
// a back-check, workflows that are replayed. Written from the protocol alone.

export class Failure extends Error {} // a business no
export class Ongoing extends Error {} // not decided yet
export class NoAnswer extends Error {} // neither yes nor no

async function httpRequest(method, url, body, read = readResult) {
  try {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const signal = AbortSignal.timeout(10_000);
    const answer = await fetch(url, { method, headers, body, signal });
    return read(answer.status, await answer.text());
  } catch (error) {
    if (error instanceof Failure || error instanceof Ongoing) throw error;
    throw error instanceof NoAnswer ? error : new NoAnswer(`${url}: ${error}`);
  }
}

function readResult(status, text) {
  if (status === 425 || text.includes("ONGOING")) throw new Ongoing(text);
  if (status === 409 || text.includes("FAILURE")) throw new Failure(text);
  if (status !== 200) throw new NoAnswer(`${status} ${text}`);
  return text;
}

export class Dtm {
  constructor(base) {
    this.base = base; // ends with /api/dtmsvr
  }

  async get(name, query = {}) {
    const text = await httpRequest("GET", `${this.base}/${name}?${new URLSearchParams(query)}`);
    return JSON.parse(text);
  }

  async post(name, body) {
    return JSON.parse(await httpRequest("POST", `${this.base}/${name}`, JSON.stringify(body)));
  }

  async newGid() {
    return (await this.get("newGid")).gid;
  }

  // What is shown may hold a branch's words: only the status code says whether it was an answer.
  async status(gid) {
    const url = `${this.base}/query?${new URLSearchParams({ gid })}`;
    const plain = (status, text) => readResult(status, "") || JSON.parse(text);
    return (await httpRequest("GET", url, undefined, plain)).transaction?.status;
  }

  // A call that the client makes itself: with `dtm` beside the usual parameters.
  callBranch(url, payload, query) {
    const joint = url.includes("?") ? "&" : "?";
    const all = new URLSearchParams({ dtm: this.base, ...query });
    return httpRequest("POST", url + joint + all, JSON.stringify(payload));
  }
}

export class Saga {
  constructor(dtm, gid, options = {}) {
    this.dtm = dtm;
    this.body = { gid, trans_type: "saga", steps: [], payloads: [], ...options };
  }

  add(action, compensate, payload) {
    this.body.steps.push({ action, compensate });
    this.body.payloads.push(JSON.stringify(payload));
    return this;
  }

  submit() {
    return this.dtm.post("submit", this.body);
  }
}

// Prepares, runs `work(this)`, then submits; aborts if it threw.
async function decideBy(transaction, work) {
  await transaction.dtm.post("prepare", transaction.body());
  try {
    await work(transaction);
  } catch (error) {
    const reason = { rollback_reason: String(error).slice(0, 200) };
    await transaction.dtm.post("abort", { ...transaction.body(), ...reason });
    throw error;
  }
  await transaction.dtm.post("submit", transaction.body());
}

export class Tcc {
  constructor(dtm, gid, options = {}, parent = "") {
    Object.assign(this, { dtm, gid, options, parent, branches: 0 });
  }

  // Within a branch: what is registered hangs below it.
  static fromQuery(query) {
    return new Tcc(new Dtm(query.get("dtm")), query.get("gid"), {}, query.get("branch_id"));
  }

  body() {
    return { gid: this.gid, trans_type: "tcc", ...this.options };
  }

  run(work) {
    return decideBy(this, work);
  }

  async call(tryUrl, confirm, cancel, payload) {
    const branch_id = this.parent + String(++this.branches).padStart(2, "0");
    const { gid } = this;
    // The name that Node's and old clients use, with the fields they add.
    await this.dtm.post("registerTccBranch", {
      gid, trans_type: "tcc", branch_id, status: "prepared", data: JSON.stringify(payload),
      try: tryUrl, confirm, cancel,
    });
    return this.dtm.callBranch(tryUrl, payload, { gid, trans_type: "tcc", branch_id, op: "try" });
  }
}

export class Xa {
  constructor(dtm, gid, options = {}) {
    Object.assign(this, { dtm, gid, options, branches: 0 });
  }

  body() {
    return { gid: this.gid, trans_type: "xa", ...this.options };
  }

  run(work) {
    return decideBy(this, work);
  }

  call(url, payload) {
    const branch_id = String(++this.branches).padStart(2, "0");
    const own = { gid: this.gid, trans_type: "xa", branch_id, op: "action", phase2_url: url };
    return this.dtm.callBranch(url, payload, own);
  }

  // Within a branch, before its database prepares.
  static register(query) {
    return new Dtm(query.get("dtm")).post("registerXaBranch", {
      gid: query.get("gid"), trans_type: "xa", branch_id: query.get("branch_id"),
      url: query.get("phase2_url"), data: "",
    });
  }
}

export class Msg {
  constructor(dtm, gid, queryPrepared, options = {}) {
    this.dtm = dtm;
    this.body = {
      gid, trans_type: "msg", steps: [], payloads: [], query_prepared: queryPrepared, ...options,
    };
  }

  add(action, payload) {
    this.body.steps.push({ action });
    this.body.payloads.push(JSON.stringify(payload));
    return this;
  }

  // A work that says no aborts; one that gives no answer leaves it to the back-check.
  async doAndSubmit(work) {
    await this.dtm.post("prepare", this.body);
    try {
      await work();
    } catch (error) {
      if (error instanceof Failure) await this.dtm.post("abort", this.body);
      throw error;
    }
    await this.dtm.post("submit", this.body);
  }
}

// Steps that are remembered by the server; running it again skips what is done.
export class Workflow {
  constructor(dtm, gid, name, callback, options = {}) {
    Object.assign(this, { dtm, gid, name, callback, options, branches: 0, undo: [] });
  }

  async run(work) {
    const data = Buffer.from("{}").toString("base64");
    const reply = await this.dtm.post("prepareWorkflow", {
      gid: this.gid, trans_type: "workflow", protocol: "http", query_prepared: this.callback,
      custom_data: JSON.stringify({ name: this.name, data }), ...this.options,
    });
    const { status } = reply.transaction;
    if (status === "succeed" || status === "failed") return status;
    const progresses = reply.progresses ?? [];
    this.done = new Map(progresses.map((p) => [`${p.branch_id}-${p.op}`, p]));
    const extra = await this.#goThrough(work);
    await this.dtm.post("submit", { gid: this.gid, trans_type: "workflow", req_extra: extra });
    return extra.status;
  }

  // `run(branch)` once in this workflow's life; its text comes back every time.
  async step(run, undo) {
    const branch = String(++this.branches).padStart(2, "0");
    const known = this.done.get(`${branch}-action`);
    let status = known?.status ?? "succeed";
    let text = known && Buffer.from(known.bin_data ?? "", "base64").toString();
    if (!known) {
      try {
        text = await run(branch);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        [status, text] = ["failed", error.message];
      }
      await this.#remember(branch, "action", status, text);
    }
    if (status === "failed") throw new Failure(text);
    this.undo.push([branch, undo]);
    return text;
  }

  async #goThrough(work) {
    try {
      const result = await work(this);
      return { status: "succeed", result: Buffer.from(result).toString("base64") };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      for (const [branch, undo] of this.undo.reverse()) {
        if (this.done.has(`${branch}-rollback`)) continue;
        await undo(branch);
        await this.#remember(branch, "rollback", "succeed", "");
      }
      return { status: "failed", rollback_reason: error.message.slice(0, 200) };
    }
  }

  async #remember(branch_id, op, status, data) {
    const { gid } = this;
    const row = { gid, trans_type: "workflow", branch_id, op, status, data };
    try {
      await this.dtm.post("registerBranch", row);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // Another run was faster: no reason to undo anything.
      throw new NoAnswer(`not remembered: ${error.message}`);
    }
  }
}
