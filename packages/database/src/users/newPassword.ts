import { randomBytes } from "node:crypto";

/** Random bytes in hexadecimal, 192 bits unless told. The end has each class of characters that servers' rules on passwords ask for. */
export const newPassword = (bytes = 24): string => `${randomBytes(bytes).toString("hex")}-Aa1`;
