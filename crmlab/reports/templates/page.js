const button = document.querySelector("button.all-code");
const folds = [...document.querySelectorAll("details.code")];
const allOpen = () => folds.every((fold) => fold.open);
const label = () => { button.textContent = allOpen() ? "Hide all code" : "Show all code"; };
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = !allOpen();
    folds.forEach((fold) => { fold.open = open; });
  });
  folds.forEach((fold) => fold.addEventListener("toggle", label));
  label();
}
