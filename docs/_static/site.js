// A browser reads no page for another one from disk, so results of the search come without excerpts there.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Sentences that a command prints wrap; tables, whose columns stand apart, keep their lines and scroll.
for (const text of document.querySelectorAll(".highlight .go, .highlight-text pre")) {
  if (!/\S {2,}\S/.test(text.textContent)) text.classList.add("sentences");
}
