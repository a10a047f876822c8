/** Whether a program ended for want of space on the disk here. Names stand before it in the line. */
export const lacksSpace = (errors: string): boolean => /: no space left on device$/im.test(errors);
