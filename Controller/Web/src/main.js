// Where the page begins.

import "./kit.js";
import { whenSignedOut } from "./core/api.js";
import { boot } from "./core/boot.js";
import { startClock } from "./core/clock.js";
import { startKeys } from "./core/keys.js";
import { startRouter } from "./core/router.js";
import { startHeader } from "./ui/header.js";
import { showFailure } from "./pages/failure.js";
import { routes } from "./pages/routes.js";

const main = document.getElementById("main");

if (main && boot.user) {
  let isLeaving = false;
  // The server answers the same address with the login, and leads back here.
  whenSignedOut(() => {
    if (isLeaving) return;
    isLeaving = true;
    location.reload();
  });
  startClock();
  startKeys();
  startHeader();
  void startRouter(main, routes, (path, error) => showFailure(main, path, error));
}
