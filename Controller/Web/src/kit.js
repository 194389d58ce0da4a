// What every part of the page has in common. The parts that come later name it, so that all of this is one file and not many small ones.

import "./core/a11y.js";
import "./core/api.js";
import "./core/boot.js";
import "./core/clock.js";
import "./core/each.js";
import "./core/fmt.js";
import "./core/h.js";
import "./core/i18n.js";
import "./core/keys.js";
import "./core/prefs.js";
import "./core/router.js";
import "./core/signal.js";
import "./core/ws.js";
import "./pages/directory.js";
import "./pages/history.js";
import "./pages/load.js";
import "./pages/run-graph.js";
import "./ui/dialog.js";
import "./ui/header.js";
import "./ui/status.js";
import "./ui/toast.js";
