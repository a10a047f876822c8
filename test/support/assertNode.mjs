/** The whole project runs on one version of Node, the one that npm ci brings and npm scripts find first. */
if (!process.version.startsWith("v24.")) {
  process.stderr.write(
    `This is Node ${process.version}; the tests need Node 24. Run "npm ci" and then "npm test": npm scripts use the Node 24 that npm ci installs.\n`,
  );
  process.exit(3);
}
