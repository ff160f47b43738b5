import { zh } from "./zh-TW";
export const en = zh;
