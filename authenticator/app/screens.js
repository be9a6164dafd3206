// Every screen by its name.

import { account } from "./screens/account.js";
import { activating } from "./screens/activating.js";
import { authenticate } from "./screens/authenticate.js";
import { confirm } from "./screens/confirm.js";
import { done } from "./screens/done.js";
import { history } from "./screens/history.js";
import { home } from "./screens/home.js";
import { install } from "./screens/install.js";
import { licences } from "./screens/licences.js";
import { notifications } from "./screens/notifications.js";
import { problem } from "./screens/problem.js";
import { request } from "./screens/request.js";
import { response } from "./screens/response.js";
import { result } from "./screens/result.js";
import { scan } from "./screens/scan.js";
import { security } from "./screens/security.js";
import { settings } from "./screens/settings.js";
import { typeCode } from "./screens/type_code.js";
import { welcome } from "./screens/welcome.js";

/** @type {Record<string, import("./ui/router.js").Show>} */
export const SCREENS = {
  account, activating, authenticate, confirm, done, history, home, install, licences, notifications,
  problem, request, response, result, scan, security, settings, type_code: typeCode, welcome,
};
