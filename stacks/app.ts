import type { App, StackContext } from "sst/constructs";
import { controlPlane } from "./ControlPlaneStack.ts";
import type { Deployment } from "./deployment.ts";
import { installationResources } from "./InstallationStack.ts";
import { notifications } from "./NotificationStack.ts";
import { observability } from "./ObservabilityStack.ts";
import { functionDefaults } from "./opsFunction.ts";
import { taskImage } from "./taskImage.ts";

export interface AppSettings {
  readonly deployment: Deployment;
  /** The repository's root: functions and the image are built from it. */
  readonly root: string;
  /** An image that is already pushed. Not set: it is built at deployment. */
  readonly imageUri?: string;
  readonly now: Date;
}

/** Adds all stacks of a stage, in the order of their dependencies. */
export const addStacks = (app: App, { deployment, root, imageUri, now }: AppSettings): void => {
  app.setDefaultFunctionProps(functionDefaults);
  const add = <Result>(id: string, make: (context: StackContext) => Result): Result => {
    let made: { readonly result: Result } | undefined;
    app.stack(
      (context) => {
        made = { result: make(context) };
        // SST's own function for custom resources. This app has none.
        context.stack.node.tryRemoveChild("CustomResourceHandler");
      },
      { id },
    );
    if (!made) throw new TypeError(`the stack ${id} was not created`);
    return made.result;
  };
  const plane = add("ControlPlaneStack", (context) => controlPlane(context, deployment));
  const told = add("NotificationStack", (context) => notifications(context, { deployment, plane }));
  const image = taskImage(root, imageUri);
  const since = now.toISOString();
  for (const installation of deployment.installations)
    add(`InstallationStack-${installation.id}`, (context) =>
      installationResources(context, installation, { deployment, plane, image, since }),
    );
  add("ObservabilityStack", (context) => observability(context, { deployment, plane, told }));
};
