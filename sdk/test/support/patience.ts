/** How long a component may take to show something: far beyond what a busy machine needs, for only a mistake waits so long. */

import { configure } from "@testing-library/dom";

configure({ asyncUtilTimeout: 20_000 });
