// Opens Mirador with the manifests of this archive that the page names.
"use strict";

(() => {
  const place = document.getElementById("mirador");
  if (!place || !window.Mirador) return;
  const manifests = place.dataset.manifests.split(" ").map((path) => new URL(path, location.href).href);
  const windows = manifests.map((manifestId) => ({ manifestId, thumbnailNavigationPosition: "far-bottom" }));
  const open = () => window.Mirador.viewer({
    id: "mirador",
    language: place.dataset.language === "en" ? "en" : "zhCn",
    windows,
    workspace: { allowNewWindows: true },
    workspaceControlPanel: { enabled: windows.length > 1 },
    window: { allowClose: windows.length > 1, allowMaximize: windows.length > 1, sideBarOpen: false, defaultSideBarPanel: "info" },
    themes: { light: { palette: { primary: { main: "#9b2c1d" }, secondary: { main: "#9b2c1d" } } } },
    selectedTheme: "light",
  });
  // The manifest says which canvas the leaf is; Mirador alone would begin at the first.
  const page = place.dataset.page;
  if (!page) open();
  else {
    fetch(manifests[0]).then((answer) => answer.json()).then((manifest) => {
      const canvas = manifest.items.find((one) => one.id.endsWith(`/canvas/${page}`));
      if (canvas) windows[0].canvasId = canvas.id;
    }).catch(() => {}).finally(open);
  }
})();
