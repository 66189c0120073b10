// The page of a till: shows what the till's own program sends it, keeps the basket, and sends a sale when it is paid.

const $ = (id) => document.getElementById(id);
const money = (cents) => (cents / 100).toFixed(2);
/** Product id to count. */
const basket = new Map();
/** As the till said last; null until it has, and while it does not answer. */
let state = null;
let selling = false;

/** An element with its children; texts are texts, never HTML. */
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const priceOf = (id) => state?.products.find((product) => product.id === id)?.price ?? 0;
const total = () => [...basket].reduce((sum, [id, count]) => sum + count * priceOf(id), 0);

function add(id, count) {
  const now = (basket.get(id) ?? 0) + count;
  if (now > 0) basket.set(id, now);
  else basket.delete(id);
  say("");
  showBasket();
}

function say(text) {
  $("message").textContent = text;
}

/** Made once for each product, so that the focus stays where it is. */
function productButton(product) {
  const button = element(
    "button",
    { type: "button", className: "product", onclick: () => add(product.id, 1) },
    element("kbd", {}),
    element("span", { className: "name" }),
    element("span", { className: "price" }),
    element("span", { className: "stock" }),
  );
  button.dataset.product = product.id;
  return button;
}

function showProducts() {
  const shown = new Map([...$("products").children].map((button) => [button.dataset.product, button]));
  const buttons = state.products.map((product, n) => {
    const button = shown.get(product.id) ?? productButton(product);
    const [key, name, price, stock] = button.children;
    button.style.setProperty("--colour", product.colour);
    key.textContent = n < 9 ? String(n + 1) : "";
    name.textContent = product.name;
    price.textContent = money(product.price);
    stock.textContent = `${product.stock} in stock`;
    stock.classList.toggle("short", product.stock <= 0);
    if (stock.dataset.is !== undefined && stock.dataset.is !== String(product.stock))
      stock.animate([{ opacity: 0.2 }, { opacity: 1 }], 400);
    stock.dataset.is = product.stock;
    return button;
  });
  const same = buttons.length === shown.size && buttons.every((button) => shown.has(button.dataset.product));
  if (!same) $("products").replaceChildren(...buttons);
}

function showBasket() {
  const lines = [...basket].map(([id, count]) => {
    const name = state?.products.find((product) => product.id === id)?.name ?? id;
    const step = (by, text, label) =>
      element("button", { type: "button", id: `${text}${id}`, onclick: () => add(id, by), ariaLabel: label }, text);
    const [fewer, more] = [step(-1, "−", `One ${name} less`), step(1, "+", `One ${name} more`)];
    const counted = element("span", { className: "count" }, String(count));
    const price = element("span", { className: "price" }, money(count * priceOf(id)));
    return element("li", {}, element("span", { className: "name" }, name), fewer, counted, more, price);
  });
  const focused = document.activeElement?.id;
  $("lines").replaceChildren(...lines);
  if (focused) $(focused)?.focus();
  $("empty").hidden = basket.size > 0;
  $("total").textContent = money(total());
  $("sell").disabled = basket.size === 0 || state === null || selling;
  $("clear").disabled = basket.size === 0 || selling;
}

function showSales() {
  const items = state.sales.map((sale) => {
    const what = sale.lines.map(({ name, count }) => (count > 1 ? `${count} × ${name}` : name)).join(", ");
    const time = new Date(sale.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return element(
      "li",
      { className: sale.till === state.till ? "own" : "" },
      element("span", { className: "by" }, sale.till),
      element("span", { className: "what" }, what),
      element("span", { className: "price" }, money(sale.total)),
      element("time", { dateTime: sale.at }, time),
    );
  });
  if (items.length === 0) items.push(element("li", { className: "none" }, "Nothing sold yet."));
  $("sales").replaceChildren(...items);
}

const words = { online: "Online", lost: "Offline: the hub does not answer", off: "Offline: switched off" };

/** Sets only what has changed: what is read aloud shall be news. */
function setText(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

function showLink() {
  const link = state ? state.link : "gone";
  document.body.dataset.link = link;
  setText("link", words[link] ?? "The till's program does not answer");
  const waiting = state?.waiting ?? 0;
  setText(
    "waiting",
    state === null ? "" : waiting === 0 ? "nothing waits" : `${waiting} ${waiting === 1 ? "row waits" : "rows wait"}`,
  );
  $("waiting").classList.toggle("some", waiting > 0);
  $("switch").setAttribute("aria-checked", String(state !== null && link !== "off"));
  $("switch").disabled = state === null;
}

/** Told apart from the rest: it changes by itself. */
function showExchange() {
  const since = state?.lastExchange ? Math.max(0, Math.round((Date.now() - state.lastExchange) / 1000)) : null;
  const ago =
    since === null
      ? "never"
      : since < 2
        ? "just now"
        : since < 90
          ? `${since} s ago`
          : `${Math.round(since / 60)} min ago`;
  setText("exchange", state === null ? "" : `last exchange ${ago}`);
}

async function send(method, path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? `HTTP ${response.status}`);
}

/** The sale that is being sent. It keeps its id until the till has it, so that sent twice it is sold once. */
let sale = null;

async function sell() {
  if ($("sell").disabled) return;
  const lines = [...basket].map(([product, count]) => ({ product, count }));
  if (sale === null || JSON.stringify(sale.lines) !== JSON.stringify(lines)) sale = { id: crypto.randomUUID(), lines };
  const paid = total();
  selling = true;
  showBasket();
  try {
    await send("POST", "/sales", sale);
    sale = null;
    basket.clear();
    say(`Sold: ${money(paid)}`);
  } catch (error) {
    say(`Not sold: ${error.message}`);
  }
  selling = false;
  showBasket();
}

const turn = () => send("PUT", "/link", { on: state?.link === "off" }).catch((error) => say(error.message));

$("sell").onclick = sell;
$("clear").onclick = () => {
  basket.clear();
  say("");
  showBasket();
};
$("switch").onclick = turn;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const product = state?.products[Number(event.key) - 1];
  if (/^[1-9]$/.test(event.key) && product) add(product.id, 1);
  else if (event.key === "Backspace" && basket.size > 0) add([...basket.keys()].at(-1), -1);
  else if (event.key === "Escape") $("clear").click();
  else if (event.key === "l" || event.key === "L") turn();
  // On a button that has the focus, Enter is that button's.
  else if (event.key === "Enter" && !event.target.closest("button")) sell();
  else return;
  event.preventDefault();
});

// A button that was touched does not keep the focus: Enter shall sell.
document.addEventListener("click", (event) => event.detail > 0 && event.target.closest("button")?.blur());

const events = new EventSource("/events");
events.onmessage = ({ data }) => {
  state = JSON.parse(data);
  document.title = state.till;
  $("till").textContent = state.till;
  showProducts();
  showBasket();
  showSales();
  showLink();
  showExchange();
};
// The browser connects again by itself.
events.onerror = () => {
  state = null;
  showBasket();
  showLink();
  showExchange();
};
setInterval(showExchange, 1000);
showBasket();
