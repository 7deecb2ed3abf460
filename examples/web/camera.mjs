// The camera, and why there may be none.

import { draw } from './image.mjs';
import { Problem } from './problem.mjs';

/** Larger frames take longer to read and are made smaller anyway. */
const WISHES = { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } };

export class Camera {
  constructor(video) {
    this.video = video;
    this.stream = null;
  }

  get running() {
    return this.stream !== null;
  }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Problem(
        'Browsers give a camera only to pages from this machine or by https. Open the address ' +
          'that “npm start” prints, or choose an image.',
      );
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: WISHES, audio: false });
      this.video.srcObject = this.stream;
      await this.video.play();
    } catch (error) {
      this.stop();
      throw new Problem(reason(error));
    }
  }

  /** The pixels of now. */
  frame() {
    const { video } = this;
    return draw(video, video.videoWidth, video.videoHeight);
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }
}

function reason(error) {
  switch (error.name) {
    case 'NotAllowedError':
      return (
        'The camera was refused. Allow it for this page in the address bar or the settings of ' +
        'the browser and start it again, or choose an image.'
      );
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'No camera was found. Connect one and start it again, or choose an image.';
    case 'NotReadableError':
      return 'The camera cannot be read; another program may be using it. Close that one first.';
    default:
      return `The camera cannot be started: ${error.message}`;
  }
}
