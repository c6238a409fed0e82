(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const held = () => { try { return localStorage.getItem("selfedit-theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("selfedit-theme", theme); } catch { /* a file may have no storage */ } };
  const given = held();
  if (given === "dark" || given === "light") root.dataset.theme = given;
  const now = () => root.dataset.theme || (dark.matches ? "dark" : "light");

  const themed = (button) => {
    const tell = () => { button.textContent = now() === "dark" ? "Light page" : "Dark page"; };
    button.addEventListener("click", () => {
      root.dataset.theme = now() === "dark" ? "light" : "dark";
      keep(root.dataset.theme);
      tell();
    });
    dark.addEventListener("change", tell);
    button.hidden = false;
    tell();
  };

  const filtered = (input) => {
    const items = [...document.getElementById(input.dataset.filter).children];
    const texts = items.map((item) => item.textContent.toLowerCase());
    const told = input.parentElement.querySelector("output");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      items.forEach((item, at) => {
        item.hidden = !words.every((word) => texts[at].includes(word));
        shown += item.hidden ? 0 : 1;
      });
      told.textContent = words.length ? `${shown} of ${items.length}` : "";
    });
  };

  const opened = (button) => {
    const items = [...document.getElementById(button.dataset.open).children];
    button.addEventListener("click", () => {
      const open = button.textContent === "Open all";
      items.forEach((item) => { item.open = open && !item.hidden; });
      button.textContent = open ? "Close all" : "Open all";
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    themed(document.getElementById("theme"));
    document.querySelectorAll(".tools").forEach((tools) => { tools.hidden = false; });
    document.querySelectorAll("[data-filter]").forEach(filtered);
    document.querySelectorAll("[data-open]").forEach(opened);
  });
})();
