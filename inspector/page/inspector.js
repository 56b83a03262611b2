/** In bytes; a test compares it with assent_inspection::text::LONGEST_TEXT. */
const LONGEST_TEXT = 8388608;

/** The names of assent_inspection::text::Texts. */
const INPUTS = [
  "authorization", "calldata", "value", "document", "intent", "context", "epochs", "abi", "caller", "timestamp",
  "evidence",
];

/** What each input is called among those that are given. */
const INPUT_LABELS = {
  calldata: "transaction calldata",
  document: "attestation document",
  epochs: "operator set",
  abi: "ABI",
  timestamp: "time",
  evidence: "evidence file",
  recorded: "signature left out",
};

/** The inputs of which one is needed. */
const CARRIERS = ["authorization", "calldata", "document", "evidence"];

const verifier = new Verifier(() =>
  new Worker(URL.createObjectURL(new Blob([contents("worker")], { type: "text/javascript" }))));
const examples = JSON.parse(contents("examples"));

byId("example").replaceChildren(...examples.map(({ name, refused }, index) =>
  element("option", { value: index }, refused ? `${refused[1]}: ${name}` : name)));

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (byId("paste").value.trim() === "") inspect();
  else takePaste();
});

byId("paste").addEventListener("input", ({ inputType }) => {
  if (inputType === "insertFromPaste" || inputType === "insertFromDrop") takePaste();
});

byId("load").addEventListener("click", () => {
  fill(examples[Number(byId("example").value)].texts);
  inspect();
});

byId("stop").addEventListener("click", () => verifier.stop("Stopped."));

byId("clear").addEventListener("click", () => {
  verifier.stop();
  fill({});
  byId("files").value = "";
  showState("No result yet.");
  byId("paste").focus();
});

byId("now").addEventListener("click", () => {
  byId("timestamp").value = String(Math.floor(Date.now() / 1000));
  showGiven();
});

// Not on "change": the list would move the control that is being clicked.
byId("inputs").addEventListener("input", showGiven);

byId("files").addEventListener("change", () => open([...byId("files").files]));

onCopy(document.querySelector("#json .copy"), () => document.querySelector("#json pre").textContent);

addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});

addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});

addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  const files = [...event.dataTransfer.files];
  const text = event.dataTransfer.getData("text");
  // A text that is dropped into a field stays there.
  if (files.length === 0 && (text === "" || event.target.matches("textarea, input"))) return;
  event.preventDefault();
  if (files.length > 0) open(files);
  else take([{ text, control: "paste" }]);
});

/** Inspects what the single fields hold. */
async function inspect() {
  clearErrors();
  showGiven();
  const texts = { recorded: byId("recorded").checked };
  for (const input of INPUTS) if (byId(input).value !== "") texts[input] = byId(input).value;
  const long = INPUTS.find((input) => texts[input]?.length > LONGEST_TEXT);
  if (long) return showError(long, `the text is longer than ${LONGEST_TEXT} bytes`);
  await working(async () => {
    const answer = await (byId("evidence").value.trim() === "" ? verifier.inspect(texts) : replay(texts));
    if (answer.error) {
      const { input, message } = answer.error;
      return showError(INPUTS.includes(input) ? input : "paste", message);
    }
    if (answer.replay) showReplay(answer.replay);
    else showInspection(answer.inspection);
    showResult();
  });
}

/** Replays the evidence, and shows how far it is. Of the other texts it compares only the document. */
function replay({ evidence, document = "" }) {
  return verifier.replay({ evidence, document }, ({ steps, stepLimit }) =>
    showState(`Deciding again: ${count(steps)} steps of at most ${count(stepLimit)}.`));
}

/** Scrolls to the result unless its verdict and checks are in view. */
function showResult() {
  const { top } = byId("verdict").getBoundingClientRect();
  const { bottom } = byId("strip").getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) byId("result").scrollIntoView({ block: "start" });
}

/** Moves the pasted text to the field that it is for. */
async function takePaste() {
  const taken = await take([{ text: byId("paste").value, control: "paste" }]);
  if (taken) byId("paste").value = "";
}

/** Reads files into the fields that they are for. */
async function open(files) {
  clearErrors();
  const texts = [];
  for (const file of files) {
    const text = await read(file);
    if (text === null) return;
    texts.push({ text, control: "files", name: file.name });
  }
  await take(texts);
}

/** Moves texts to the fields that they are for, and inspects once there is something to inspect. */
async function take(texts) {
  clearErrors();
  const epochs = [];
  const complete = await working(async () => {
    for (const { text, control, name } of texts) {
      const fault = (message) => showError(control, name === undefined ? message : `${name}: ${message}`);
      if (text.length > LONGEST_TEXT) return fault(`the text is longer than ${LONGEST_TEXT} bytes`);
      const { kind, error } = await verifier.recognise(text);
      if (error) return fault(error.message);
      if (kind === "epochs") epochs.push(text.trim().replace(/^\[|\]$/g, ""));
      else byId(kind).value = text;
      // The calldata is the whole call.
      if (kind === "authorization" || kind === "intent") byId("calldata").value = "";
      if (kind === "calldata") for (const input of ["authorization", "intent"]) byId(input).value = "";
      if (kind !== "calldata" && byId("calldata").value === "") byId("value").value = "";
    }
    if (epochs.length > 0) byId("epochs").value = epochs.length === 1 ? epochs[0] : `[${epochs.join(",\n")}]`;
    return true;
  });
  if (!complete) return false;
  if (CARRIERS.some((input) => byId(input).value.trim() !== "")) await inspect();
  else {
    showGiven();
    showState("An authorization, transaction calldata, attestation document or evidence file is missing.");
  }
  return true;
}

async function read(file) {
  const fault = (message) => showError("files", `${file.name}: ${message}`);
  if (file.size > LONGEST_TEXT) {
    fault(`the file has ${file.size} bytes; the maximum is ${LONGEST_TEXT}`);
    return null;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch (error) {
    fault(error instanceof TypeError ? "not text; give hex or JSON" : `cannot read the file: ${error.message}`);
    return null;
  }
}

/** Shows that the verifier is working and how to stop it, then what stopped it. */
async function working(work) {
  byId("stop").hidden = false;
  showState("Working…");
  try {
    return await work();
  } catch (reason) {
    // Without a reason, another question has replaced this one.
    if (reason === null) return undefined;
    showFailure(String(reason));
  } finally {
    byId("stop").hidden = true;
  }
  return undefined;
}

function fill(texts) {
  clearErrors();
  byId("paste").value = "";
  for (const input of INPUTS) byId(input).value = texts[input] ?? "";
  byId("recorded").checked = texts.recorded ?? false;
  showGiven();
}

/** Lists the inputs that are given, each with a button that removes it. */
function showGiven() {
  const given = INPUTS.filter((input) => byId(input).value.trim() !== "");
  if (byId("recorded").checked) given.push("recorded");
  byId("given").replaceChildren(...given.map((input) => {
    const label = INPUT_LABELS[input] ?? input;
    const remove = element("button", { type: "button", "aria-label": `Remove: ${label}` }, "×");
    remove.addEventListener("click", () => {
      byId(input).value = "";
      if (input === "recorded") byId(input).checked = false;
      byId("paste").focus();
      if (CARRIERS.some((carrier) => byId(carrier).value.trim() !== "")) inspect();
      else {
        showGiven();
        showState("No result yet.");
      }
    });
    return element("li", {}, label, remove);
  }));
}

/** Says beside the input what is wrong with it, and moves the keyboard focus there. */
function showError(input, message) {
  byId(input === "files" ? "paste-error" : `${input}-error`).textContent = message;
  const control = byId(input);
  control.setAttribute("aria-invalid", "true");
  if (byId("inputs").contains(control)) byId("inputs").open = true;
  control.focus();
  showFailure(INPUTS.includes(input) ? `${INPUT_LABELS[input] ?? input}: ${message}` : message);
}

function clearErrors() {
  for (const error of document.querySelectorAll(".error")) error.textContent = "";
  for (const control of document.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}

/** Returns the text of an element that holds data or another script. */
function contents(id) {
  return document.getElementById(id).textContent;
}
