/** In bytes, as assent_inspection::text::LONGEST_TEXT, with which a test compares it. */
const LONGEST_TEXT = 8388608;

/** As assent_inspection::text::Texts calls them. */
const INPUTS = ["authorization", "calldata", "value", "document", "intent", "context", "epochs", "caller", "timestamp"];

const verifier = new Verifier();
const examples = JSON.parse(contents("examples"));

byId("example").replaceChildren(...examples.map(({ name, refused }, place) =>
  element("option", { value: place }, refused ? `${name}: check ${refused[0]}, ${refused[1]}` : name)));

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  inspect();
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
  showState("Nothing is inspected yet.");
  byId("authorization").focus();
});

byId("now").addEventListener("click", () => { byId("timestamp").value = String(Math.floor(Date.now() / 1000)); });

byId("files").addEventListener("change", () => open([...byId("files").files]));

addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});

addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});

addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const files = [...event.dataTransfer.files];
  if (files.length > 0) open(files);
});

async function inspect() {
  clearErrors();
  const texts = { recorded: byId("recorded").checked };
  for (const input of INPUTS) texts[input] = byId(input).value;
  const long = INPUTS.find((input) => texts[input].length > LONGEST_TEXT);
  if (long) return showError(long, `the text is longer than ${LONGEST_TEXT} bytes`);
  await working(async () => {
    const answer = await verifier.inspect(texts);
    if (answer.error) return showError(answer.error.input, answer.error.message);
    showInspection(answer.inspection);
    byId("result").scrollIntoView({ block: "start" });
  });
}

/** Reads files into the inputs that they are for, and inspects them once there is something to inspect. */
async function open(files) {
  clearErrors();
  const epochs = [];
  const complete = await working(async () => {
    for (const file of files) {
      const text = await read(file);
      const { kind, error } = text === null ? {} : await verifier.recognise(text);
      if (error) showError("file", `${file.name}: ${error.message}`);
      if (!kind) return false;
      if (kind === "epochs") epochs.push(text.trim().replace(/^\[|\]$/g, ""));
      else byId(kind).value = text;
      // One of the two carries the authorization.
      if (kind === "authorization") byId("calldata").value = "";
      if (kind === "calldata") byId("authorization").value = "";
    }
    if (epochs.length > 0) byId("epochs").value = epochs.length === 1 ? epochs[0] : `[${epochs.join(",\n")}]`;
    return true;
  });
  if (!complete) return;
  if (["authorization", "calldata", "document"].some((input) => byId(input).value.trim() !== "")) await inspect();
  else showState(`${files.map(({ name }) => name).join(", ")}: read. An authorization, calldata or a document is still missing.`);
}

async function read(file) {
  if (file.size > LONGEST_TEXT) {
    showError("file", `${file.name}: the file has ${file.size} bytes; the maximum is ${LONGEST_TEXT}`);
    return null;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch (error) {
    const reason = error instanceof TypeError ? "is not text; give hex or JSON" : `cannot be read: ${error.message}`;
    showError("file", `${file.name} ${reason}`);
    return null;
  }
}

/** Shows that the verifier is at work, and how to stop it; then what it stopped for. */
async function working(work) {
  byId("stop").hidden = false;
  showState("Working…");
  try {
    return await work();
  } catch (reason) {
    // Without a reason, something else has begun, and shows itself.
    if (reason === null) return undefined;
    showFailure(String(reason));
  } finally {
    byId("stop").hidden = true;
  }
  return undefined;
}

function fill(texts) {
  clearErrors();
  for (const input of INPUTS) byId(input).value = texts[input] ?? "";
  byId("recorded").checked = texts.recorded ?? false;
}

/** Says beside the input what is wrong with it, and takes the keyboard there. */
function showError(input, message) {
  byId(`${input}-error`).textContent = message;
  const control = byId(input === "file" ? "files" : input);
  control.setAttribute("aria-invalid", "true");
  control.focus();
  showFailure(message);
}

function clearErrors() {
  for (const error of document.querySelectorAll(".error")) error.textContent = "";
  for (const control of document.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}
