import { authPlugin } from "sekisho/vue";
import "sekisho/styles.css";
import { createApp } from "vue";
import App from "./App.vue";
import { client } from "./api";
import "./style.css";
import { locale, say } from "./texts";

document.documentElement.lang = locale;
document.title = say("tasks");

createApp(App).use(authPlugin, { client, locale }).mount("#app");
