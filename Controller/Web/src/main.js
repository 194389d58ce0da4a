// Where the page begins.

import { startClock } from "./core/clock.js";
import { startKeys } from "./core/keys.js";

startClock();
startKeys();
