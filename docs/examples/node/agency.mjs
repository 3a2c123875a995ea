// An agency in Node, written from docs/agencies.md alone: it takes each task and completes it.
//
//   PARTNER_AGENCY, PARTNER_URL    as in docs/agencies.md
//   PARTNER_CA, PARTNER_CERTIFICATE, PARTNER_KEY   PEM files, where the city gave you some
//   PARTNER_DOOR, PARTNER_DOOR_KEY the HTTPS door: fetches what the queue did not bring
//   PARTNER_STORE                  a file of this program alone (default agency.jsonl)
//
// Store, acknowledge, then work: every message and every answer is a line of the store before
// anything else happens with it, so a crash loses nothing and repeats no answer under another id.
import amqp from "amqplib";
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";

const agency = process.env.PARTNER_AGENCY;
const user = decodeURIComponent(new URL(process.env.PARTNER_URL).username) || agency;
const pem = (name) => (process.env[name] ? readFileSync(process.env[name]) : undefined);

class Store {
  constructor(path) {
    this.messages = new Map(); // id -> envelope
    this.answers = new Map(); // id -> { kind, envelope, sent }
    this.last = 0; // the last number without a gap
    if (existsSync(path)) readFileSync(path, "utf8").split("\n").forEach((line) => this.#take(line));
    this.file = openSync(path, "a", 0o600);
  }
  #take(line) {
    let row;
    try {
      row = JSON.parse(line);
    } catch {
      return; // the last line of a crash: what it was comes again
    }
    if (row.message) this.messages.set(row.message.id, row.message);
    if (row.answer) this.answers.set(row.answer.id, { ...row, sent: false });
    if (row.sent && this.answers.has(row.sent)) this.answers.get(row.sent).sent = true;
    this.#count();
  }
  #count() {
    const seen = new Set([...this.messages.values()].map((each) => Number(each.sequence)));
    while (seen.has(this.last + 1)) this.last += 1;
  }
  add(row) {
    const line = JSON.stringify(row);
    writeSync(this.file, `${line}\n`);
    fsyncSync(this.file);
    this.#take(line);
  }
  close() {
    closeSync(this.file);
  }
}

const store = new Store(process.env.PARTNER_STORE ?? "agency.jsonl");
let stopping = false;
let publishing; // the channel with confirms, while there is one

/** The same answer to the same message has the same id, whatever crashed in between. */
function answer(message, kind, data) {
  const id = createHash("sha256").update(`${message.id} ${kind}`).digest("hex").slice(0, 32);
  if (store.answers.has(id)) return;
  const envelope = {
    specversion: "1.0",
    id,
    source: `/agencies/${agency}`,
    type: `vn.lienthong.answer.${kind}.v1`,
    subject: message.data.task,
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    data: { task: message.data.task, ...data },
  };
  store.add({ answer: envelope, kind });
}

/** What this agency does: a person or your own system belongs here. */
function work(message) {
  const kind = message.type.split(".").at(-2);
  if (kind === "answer_refused") {
    const { answer_id, rule, place, vi, en } = message.data;
    console.error(`answer ${answer_id} refused: ${rule} ${place}\n  ${vi}\n  ${en}`);
  }
  if (kind !== "assigned") return;
  answer(message, "taken", { officer: "Lê Thị Hoa" });
  if (message.data.papers.length === 0) {
    answer(message, "supplement_needed", {
      items: ["Giấy chứng sinh"],
      reason: "Hồ sơ chưa có giấy tờ nào",
    });
    return;
  }
  answer(message, "completed", {
    outcome: "granted",
    result_code: message.data.results[0] ?? null,
    document: "12/2022",
  });
}

/** Keep a message and act on it; one that cannot be read is kept as it is and asks for nothing. */
function keep(text) {
  let message;
  try {
    message = JSON.parse(text);
    if (!message?.id || typeof message.type !== "string" || !message.data) throw new Error();
  } catch {
    store.add({ unreadable: text });
    console.error("a message that cannot be read was put aside; tell the city");
    return;
  }
  if (store.messages.has(message.id)) return;
  store.add({ message });
  try {
    work(message);
  } catch (error) {
    console.error(`work on ${message.id} failed: ${error.name}`); // it stays in the store
  }
}

/** Send what is not confirmed, in the order it was made; one that is not taken waits for the others. */
async function flush() {
  for (const [id, each] of [...store.answers]) {
    if (each.sent || !publishing) continue;
    const body = Buffer.from(JSON.stringify(each.answer));
    const about = {
      persistent: true,
      mandatory: true,
      userId: user,
      messageId: id,
      contentType: "application/cloudevents+json",
    };
    let returned = false; // a broker that has no queue for it says so before it confirms
    const onReturn = () => (returned = true);
    publishing.once("return", onReturn);
    publishing.publish("agency.answers", `answer.${agency}.${each.kind}`, body, about);
    const confirmed = await publishing.waitForConfirms().then(
      () => true,
      () => false,
    );
    publishing?.off("return", onReturn);
    if (confirmed && !returned) {
      store.add({ sent: id });
      continue;
    }
    console.error(`answer ${id} was not taken by the broker`);
    store.answers.delete(id); // at the next time the others go first
    store.answers.set(id, each);
    if (!confirmed) return;
  }
}

/** What came to the door and not by the queue. */
async function catchUp() {
  const { PARTNER_DOOR: door, PARTNER_DOOR_KEY: key } = process.env;
  if (!door || !key) return;
  for (let more = true; more; ) {
    const address = `${door}/api/v1/tasks?after=${store.last}`;
    const reply = await fetch(address, { headers: { Authorization: `Bearer ${key}` } });
    if (!reply.ok) throw new Error(`the door answers ${reply.status}`);
    const page = await reply.json();
    const before = store.last;
    page.items.forEach((each) => keep(JSON.stringify(each)));
    more = page.more && store.last > before;
  }
}

async function session() {
  const url = new URL(process.env.PARTNER_URL);
  url.searchParams.set("heartbeat", "30");
  const connection = await amqp.connect(url.href, {
    ca: pem("PARTNER_CA"),
    cert: pem("PARTNER_CERTIFICATE"),
    key: pem("PARTNER_KEY"),
    servername: url.hostname,
    ...(url.username ? {} : { credentials: amqp.credentials.external() }),
  });
  const over = new Promise((resolve) => connection.once("close", resolve));
  connection.on("error", (error) => console.error(`the line broke: ${error.message}`));
  const reading = await connection.createChannel();
  publishing = await connection.createConfirmChannel();
  for (const channel of [reading, publishing]) channel.on("error", () => connection.close());
  await reading.prefetch(20);
  await reading.consume(`agency.${agency}.tasks`, (delivery) => {
    if (delivery === null) {
      console.error("the queue was taken away"); // basic.cancel: read it again on a new line
      connection.close().catch(() => {});
      return;
    }
    keep(delivery.content.toString("utf8"));
    reading.ack(delivery);
    queued = queued.then(flush);
  });
  console.log("reading");
  await catchUp().catch((error) => console.error(`not caught up: ${error.message}`));
  queued = queued.then(flush);
  leave = async () => {
    await queued;
    await connection.close().catch(() => {});
  };
  if (stopping) await leave();
  await over;
}

let queued = Promise.resolve();
let leave = async () => {};
for (const signal of ["SIGTERM", "SIGINT"])
  process.on(signal, () => {
    stopping = true;
    leave();
  });

while (!stopping) {
  try {
    await session();
  } catch (error) {
    console.error(`no line to the city: ${error.message}`);
  }
  publishing = undefined;
  leave = async () => {};
  if (!stopping) await new Promise((resolve) => setTimeout(resolve, 1000));
}
store.close();
