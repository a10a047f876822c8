/** As much of a process as listening to signals needs. */
export interface SignalSource {
  on(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

export interface StopRequests extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
}

/**
 * Turns the first SIGINT or SIGTERM into an abort, so that the job stops safely, and the second into `force`.
 *
 * @param announce notifies people that the program is stopping
 * @param force ends the program at once
 */
export const listenForStop = (source: SignalSource, announce: () => void, force: () => void): StopRequests => {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) return force();
    controller.abort();
    announce();
  };
  source.on("SIGINT", stop);
  source.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      source.off("SIGINT", stop);
      source.off("SIGTERM", stop);
    },
  };
};
