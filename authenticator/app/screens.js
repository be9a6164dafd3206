// Every screen by its name.

import { account } from "./screens/account.js";
import { activating } from "./screens/activating.js";
import { adding } from "./screens/adding.js";
import { again } from "./screens/again.js";
import { authenticate } from "./screens/authenticate.js";
import { caseCode } from "./screens/case_code.js";
import { caseWait } from "./screens/case_wait.js";
import { changePinScreen } from "./screens/change_pin.js";
import { claim } from "./screens/claim.js";
import { confirm } from "./screens/confirm.js";
import { credentials } from "./screens/credentials.js";
import { diagnosis } from "./screens/diagnosis.js";
import { diagnosisSent } from "./screens/diagnosis_sent.js";
import { done } from "./screens/done.js";
import { forgotten } from "./screens/forgotten.js";
import { history } from "./screens/history.js";
import { home } from "./screens/home.js";
import { install } from "./screens/install.js";
import { language } from "./screens/language.js";
import { licences } from "./screens/licences.js";
import { notice } from "./screens/notice.js";
import { notices } from "./screens/notices.js";
import { notifications } from "./screens/notifications.js";
import { pinChanged } from "./screens/pin_changed.js";
import { pinGuidelines } from "./screens/pin_guidelines.js";
import { problem } from "./screens/problem.js";
import { reported } from "./screens/reported.js";
import { replaces } from "./screens/replaces.js";
import { request } from "./screens/request.js";
import { response } from "./screens/response.js";
import { resting } from "./screens/resting.js";
import { result } from "./screens/result.js";
import { resync } from "./screens/resync.js";
import { scan } from "./screens/scan.js";
import { secondPush } from "./screens/second_push.js";
import { security } from "./screens/security.js";
import { selfTest } from "./screens/self_test.js";
import { settings } from "./screens/settings.js";
import { typeCode } from "./screens/type_code.js";
import { ways } from "./screens/ways.js";
import { welcome } from "./screens/welcome.js";

/** @type {Record<string, import("./ui/router.js").Show>} */
export const SCREENS = {
  claim, diagnosis, diagnosis_sent: diagnosisSent, language, notice, notices, reported, resync, second_push: secondPush, self_test: selfTest,
  account, activating, adding, again, authenticate, case_code: caseCode, case_wait: caseWait, change_pin: changePinScreen,
  confirm, credentials, done, forgotten, history, home, install, licences, notifications,
  pin_changed: pinChanged, pin_guidelines: pinGuidelines, problem, replaces, request, response, resting, result, scan, security, settings, type_code: typeCode, ways, welcome,
};
