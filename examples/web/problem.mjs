/** An error whose message is written for whoever uses the page. */
export class Problem extends Error {}
