// Sorts a table by the column whose button is pressed, as numbers where all cells begin with one.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement;
    const table = head.closest("table");
    const place = [...head.parentElement.children].indexOf(head);
    const down = head.getAttribute("aria-sort") === "ascending";
    const groups = [...table.tBodies];
    const cell = (group) => group.rows[0].cells[place].textContent.trim();
    const number = (text) => parseFloat(text.replaceAll(",", ""));
    const numeric = groups.every((group) => !Number.isNaN(number(cell(group))));
    groups.sort((one, other) => {
      const [a, b] = [cell(one), cell(other)];
      const order = numeric ? number(a) - number(b) : a < b ? -1 : a > b ? 1 : 0;
      return down ? -order : order;
    });
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.append(...groups);
  });
}
