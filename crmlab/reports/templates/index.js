const rows = [...document.querySelectorAll("tr.run")];
const box = document.querySelector(".filters");
const counted = document.querySelector(".matches");
const text = document.querySelector("#find");
const choices = { report: "#by-report", data: "#by-data", checks: "#by-checks" };
const opened = new Set();

const chosen = (name) => document.querySelector(choices[name]).value;
const fits = (row, words) => {
  if (chosen("report") && row.dataset.report !== chosen("report")) return false;
  if (chosen("data") && !row.dataset.data.split("|").includes(chosen("data"))) return false;
  const outcomes = row.dataset.checks.split("|");
  if (chosen("checks") === "none failed" && (!row.dataset.checks || outcomes.includes("failed"))) return false;
  if (!["", "none failed"].includes(chosen("checks")) && !outcomes.includes(chosen("checks"))) return false;
  const all = row.textContent.toLowerCase();
  return words.every((word) => all.includes(word));
};
const apply = () => {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const asked = words.length > 0 || Object.keys(choices).some(chosen);
  let matching = 0;
  rows.forEach((row) => {
    const fit = fits(row, words);
    const folded = row.classList.contains("older") && !opened.has(row.dataset.report);
    matching += fit;
    row.hidden = asked ? !fit : folded;
    row.querySelectorAll(".fact.more").forEach((fact) => {
      const said = fact.textContent.toLowerCase();
      fact.hidden = !(words.length && words.some((word) => said.includes(word)));
    });
  });
  document.querySelectorAll("section[data-report]").forEach((section) => {
    section.hidden = asked && !section.querySelector("tr.run:not([hidden])");
  });
  document.querySelectorAll(".unfold").forEach((button) => {
    button.hidden = asked || opened.has(button.dataset.report);
  });
  counted.textContent = asked ? `${matching} of ${rows.length} runs` : "";
};
if (box) {
  box.hidden = false;
  text.addEventListener("input", apply);
  Object.values(choices).forEach((id) => document.querySelector(id).addEventListener("change", apply));
  document.querySelectorAll(".unfold").forEach((button) => {
    button.addEventListener("click", () => { opened.add(button.dataset.report); apply(); });
  });
  apply();
}
