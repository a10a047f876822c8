import { randomBytes } from "node:crypto";

/** 192 bits. The end has each class of characters that servers' rules on passwords ask for. */
export const newPassword = (): string => `${randomBytes(24).toString("hex")}-Aa1`;
