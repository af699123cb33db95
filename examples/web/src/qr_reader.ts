import jsQR from "jsqr";

/** What browsers on phones have, and many others have not. */
interface Detector {
  detect(source: ImageBitmapSource): Promise<{ rawValue: string }[]>;
}

interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** The largest side of a picture that is looked at, and the smaller ones in which a noisy photo may read better. */
const SIDES = [2000, 1000, 500];

let detector: Promise<Detector | undefined> | undefined;

/** The text of the QR code in an image file, or none. Throws if it is not an image. */
export async function readImage(file: Blob): Promise<string | undefined> {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    for (const side of SIDES) {
      const text = await readPicture(image, image.naturalWidth || side, image.naturalHeight || side, side);
      if (text !== undefined) return text;
    }
    return undefined;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** The text of the QR code in a picture, looked at with at most so many pixels a side. */
export async function readPicture(
  picture: CanvasImageSource,
  width: number,
  height: number,
  side: number,
): Promise<string | undefined> {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return undefined;
  context.fillStyle = "#fff"; // under what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const native = await (detector ??= findDetector());
  const found = (await native?.detect(canvas).catch(() => []))?.[0]?.rawValue;
  if (found !== undefined && found !== "") return found;
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  return jsQR(pixels.data, pixels.width, pixels.height)?.data || undefined;
}

async function findDetector(): Promise<Detector | undefined> {
  const found = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  const formats = await found?.getSupportedFormats().catch((): string[] => []);
  if (found === undefined || formats?.includes("qr_code") !== true) return undefined;
  return new found({ formats: ["qr_code"] });
}
