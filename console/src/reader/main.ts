import "@fontsource-variable/atkinson-hyperlegible-mono";
import "@fontsource-variable/noto-sans-tc";
import { mount } from "svelte";
import Reader from "./Reader.svelte";
import "../tokens.css";
import "../styles/base.css";
import "../styles/parts.css";
import "../styles/reader.css";

mount(Reader, { target: document.getElementById("app")! });
