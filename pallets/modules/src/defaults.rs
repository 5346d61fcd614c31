//! The types and patterns that every chain begins with.
//!
//! The patterns are names of families of models and words for what a model does. Where a family's name begins with a
//! word that means something else, the longer pattern sets it right: `imagenet` is not `imagen`, `chatterbox` does not
//! chat, and a `video-llama` answers in text. [`EXCEPTIONS`] are words that only look like a pattern.

use ensemble_core::{modules::UNKNOWN, ModelType};

/// Makes and edits images.
pub const DIFFUSION: ModelType = 1;
/// Answers in text: language models, models of code, and those that also look at images or videos.
pub const CHAT: ModelType = 2;
/// Recognises what is in an image: classes, objects, segments, features.
pub const IMAGE_CLASSIFICATION: ModelType = 3;
/// Recognises speech, classifies, separates, encodes or composes sound.
pub const AUDIO_PROCESSING: ModelType = 4;
/// Turns texts or images into vectors, or ranks texts for a query.
pub const EMBEDDING: ModelType = 5;
/// Makes videos.
pub const VIDEO_GENERATION: ModelType = 6;
/// Speaks, and imitates voices.
pub const TEXT_TO_SPEECH: ModelType = 7;

/// The types and their names.
pub const TYPES: [(ModelType, &str); 8] = [
    (UNKNOWN, "unknown"),
    (DIFFUSION, "diffusion"),
    (CHAT, "chat"),
    (IMAGE_CLASSIFICATION, "image-classification"),
    (AUDIO_PROCESSING, "audio-processing"),
    (EMBEDDING, "embedding"),
    (VIDEO_GENERATION, "video-generation"),
    (TEXT_TO_SPEECH, "text-to-speech"),
];

/// The patterns of each type.
pub const PATTERNS: [(ModelType, &[&str]); 8] = [
    (UNKNOWN, EXCEPTIONS),
    (DIFFUSION, DIFFUSION_PATTERNS),
    (CHAT, CHAT_PATTERNS),
    (IMAGE_CLASSIFICATION, IMAGE_CLASSIFICATION_PATTERNS),
    (AUDIO_PROCESSING, AUDIO_PROCESSING_PATTERNS),
    (EMBEDDING, EMBEDDING_PATTERNS),
    (VIDEO_GENERATION, VIDEO_GENERATION_PATTERNS),
    (TEXT_TO_SPEECH, TEXT_TO_SPEECH_PATTERNS),
];

#[rustfmt::skip]
const EXCEPTIONS: &[&str] = &[
    "clipboard", "clipper", "diffusion-policy", "embedded", "eleventh", "eleventy", "gptq-", "imageclassic",
    "sda-", "sdb-", "sdc-", "sdk", "sdn-", "sdr-", "speedtest", "stable-zero123", "videogame", "video-game", "vital",
    "vitamin", "vite-", "vitess", "vitest", "chronos-t5", "chronos-bolt", "granite-timeseries", "granite-ttm",
    "hunyuan-3d", "prot-t5", "whisperer",
];

#[rustfmt::skip]
const DIFFUSION_PATTERNS: &[&str] = &[
    "stable-diffusion", "sd", "midjourney", "dalle",
    // What it does.
    "diffusion", "text-to-image", "text2image", "txt2img", "t2i-", "image-to-image", "img2img", "image-generation",
    "image-generator", "image-gen-", "image-edit", "image-restoration", "image-super-resolution", "super-resolution",
    "inpaint", "outpaint", "upscale", "pix2pix", "colorization", "colorize", "style-transfer", "face-restoration",
    "virtual-try-on", "vton", "unclip", "textual-inversion",
    // Families.
    "dall-e", "dallemini", "min-dalle", "rudalle", "craiyon", "stablediffusion", "latent-consistency",
    "latent-diffusion", "lcm-", "ldm-", "flux", "kandinsky", "imagen-", "imagen2", "imagen3", "imagen4", "pixart", "playground-v",
    "playgroundai", "playgroundv", "dreamshaper", "dreambooth", "dreamlike", "deepfloyd", "if-i-", "if-ii-", "controlnet",
    "control-lora", "ip-adapter", "ipadapter", "openjourney", "realistic-vision", "realisticvision", "realvis", "juggernaut",
    "anything-v", "waifu", "animagine", "pony-", "ponyxl", "illustrious", "noobai", "counterfeit", "deliberate",
    "absolutereality", "absolute-reality", "epicrealism", "epic-realism", "majicmix", "chilloutmix", "revanimated", "rev-animated", "ghostmix",
    "meinamix", "orangemix", "abyssorangemix", "protogen", "cyberrealistic", "toonyou", "aom3", "zavychroma",
    "albedobase", "copaxtimeless", "proteus", "wuerstchen", "wurstchen", "stable-cascade", "stable-unclip",
    "stable-image", "karlo", "glide-", "dit-xl", "dit-b-", "hunyuan-dit", "hunyuandit", "hunyuanimage", "hunyuan-image",
    "sana-", "sana1", "auraflow", "aura-flow", "lumina-image", "lumina-next", "lumina-t2", "lumina-dimoo", "kolors", "omnigen", "emu-edit", "emu3-gen",
    "cogview", "hidream", "qwen-image", "gpt-image", "chatgpt-image", "gemini-2-5-flash-image", "gemini-3-pro-image",
    "grok-2-image", "grok-imagine", "nano-banana", "recraft", "ideogram", "firefly-image", "adobe-firefly", "seedream",
    "seededit", "instruct-pix2pix", "instructpix2pix", "instantid", "instant-id", "instantstyle", "instant-style",
    "photomaker", "pulid", "paint-by-example", "ddpm", "ddim", "ncsn", "score-sde", "consistency-models", "taesd", "taef1", "ssd-1b",
    "segmind-vega", "koala-lightning", "koala-700m", "z-image", "chroma1", "chroma-hd", "step1x", "amused", "open-muse",
    "maskgit", "vqgan", "parti-", "muse-", "stylegan", "biggan", "gigagan", "cyclegan", "progan", "dcgan", "stargan", "sgan", "gan-", "animegan", "real-esrgan",
    "realesrgan", "esrgan", "swinir", "swin2sr", "gfpgan", "codeformer", "restoreformer", "supir", "stablesr", "diffbir",
    "edsr", "rcan", "hat-l", "nafnet", "restormer", "lama-", "big-lama", "mat-inpaint", "brushnet", "powerpaint", "ic-light", "iclight", "ledits", "magicbrush", "anydoor",
    "anytext", "layerdiffus", "instaflow", "perflow", "ella-", "gligen", "t2i-adapter", "uni-controlnet", "bria-", "deoldify", "ddcolor", "idm-vton", "ootdiffusion",
    "catvton", "titan-image", "nova-canvas", "llamagen", "llama-gen", "switti", "infinity-2b", "infinity-8b", "var-d", "f-lite", "leonardo-", "blended-",
    "dreamomni", "longcat-image", "ovis-image", "glm-image", "kandinsky-2", "kandinsky-3", "minimax-image", "photon-", "luma-photon", "null-text", "fooocus", "tiny-sd", "small-sd",
];

#[rustfmt::skip]
const CHAT_PATTERNS: &[&str] = &[
    "gpt", "llama", "claude", "mistral", "chat",
    // What it does.
    "llm", "vlm", "mllm", "slm-", "instruct", "assistant", "language-model", "text-generation", "coder", "vqa",
    "visual-question", "image-caption", "image-captioning", "captioning", "image-to-text", "video-caption", "codegen",
    // Families of language models.
    "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral", "mathstral", "zephyr", "qwen", "qwq", "qvq",
    "gemma", "codegemma", "paligemma", "shieldgemma", "medgemma", "recurrentgemma", "txgemma", "t5gemma", "gemini", "palm-2", "palm2", "palm-540",
    "palmyra", "bard-", "lamda", "phi-", "phi1", "phi2", "phi3", "phi4", "deepseek", "yi-", "falcon", "mpt-", "bloom-", "bloomz", "bloomchat",
    "opt-", "opt1", "opt6", "pythia", "dolly", "stablelm", "stable-lm", "stablecode", "stable-code", "stable-beluga", "stablebeluga", "stable-vicuna",
    "starcoder", "starchat", "santacoder", "codellama", "codet5", "codegeex", "codeqwen", "codeup", "codefuse",
    "codeshell", "opencoder", "opencode", "decicoder", "decilm", "wizardlm", "wizardcoder", "wizardmath", "wizard-", "vicuna", "alpaca",
    "koala-7b", "koala-13b", "koala-", "guanaco", "openchat", "openhermes", "hermes", "nous-", "openorca", "orca", "platypus", "tulu",
    "olmo", "molmo", "openelm", "tinyllama", "smollm", "smolvlm", "smol-", "minicpm", "internlm", "internvl", "interns1", "intern-s1", "baichuan",
    "chatglm", "glm-", "glm3", "glm4", "glm5", "cogvlm", "cogagent", "aquila", "skywork", "xverse", "xgen-", "moonshot", "moonlight", "kimi", "ernie", "doubao",
    "seed-oss", "seed-1-", "seed1", "hunyuan-", "hunyuan1", "hunyuan-large", "minimax-", "minimax-text", "abab", "step-1", "step-2", "step-3", "step3", "nemotron", "minitron",
    "nvlm", "vila-", "vila1", "nvila", "jamba", "jurassic", "dbrx", "snowflake-arctic", "arctic-instruct", "arctic-base", "grok", "command-r", "command-a",
    "command-light", "command-nightly", "c4ai", "aya-", "solar-10", "solar-pro", "solar-mini", "solar-open", "exaone", "kanana", "polyglot-ko",
    "eeve-", "hyperclova", "kullm", "sarvam", "krutrim", "airavata", "openhathi", "granite", "apertus", "eurollm", "salamandra", "teuken", "lucie-",
    "croissantllm", "viking-", "poro-", "rakutenai", "elyza", "swallow", "calm2", "calm3", "plamo", "sea-lion", "sealion", "seallm",
    "sailor", "typhoon", "jais", "acegpt", "allam-", "silma", "fanar", "sabia", "saiga", "vikhr", "gigachat", "yandexgpt", "rugpt", "inflection", "reka-",
    "nova-pro", "nova-lite", "nova-micro", "nova-premier", "titan-text", "lfm-", "lfm2", "hymba", "zamba", "rwkv", "mamba",
    "retnet", "xlstm", "recurrent-", "t5-", "t5x", "mt5", "byt5", "flan", "ul2", "t0pp", "t0-", "xglm", "gopher", "chinchilla", "turing-nlg", "megatron", "galactica",
    "minerva", "redpajama", "open-assistant", "oasst", "openassistant", "persimmon", "btlm", "amber-", "crystalcoder", "k2-", "arcee", "supernova", "trinity-", "dolphin",
    "airoboros", "samantha", "mythomax", "mytholite", "mythalion", "pygmalion", "metharme", "goliath", "noromaid", "fimbulvetr", "toppy", "xwin", "stheno",
    "lumimaid", "miqu", "midnight-miqu", "rocinante", "cydonia", "euryale", "magnum-", "neuralhermes", "neuralbeagle", "neural-chat", "starling",
    "notus", "sauerkraut", "leolm", "leo-hessianai", "marcoroni", "synthia", "tiefighter", "psyfighter", "erebus", "causallm", "linly", "moss-",
    "ziya", "belle-", "bluelm", "orion-14b", "telechat", "mengzi", "iflytek-spark", "ling-", "ring-lite", "ring-flash", "ring-mini",
    "longcat", "mimo-", "dots-llm", "dots-vlm", "pangu", "o1-", "o3-", "o4-", "davinci", "text-davinci", "curie", "babbage", "codex", "pplx", "sonar-pro",
    "sonar-reasoning", "sonar-deep", "copilot", "dialogpt", "dialogrpt", "blenderbot", "godel", "meditron", "biomistral", "biogpt", "medalpaca", "med-palm", "openbiollm",
    "med42", "finma", "fingpt", "bloomberggpt", "saul-", "saullm", "prometheus", "incoder", "polycoder", "octocoder", "octogeex", "magicoder", "wavecoder", "sqlcoder", "nsql",
    "replit", "phind", "refact-", "granite-code", "llemma", "deepscaler", "deepcoder", "openthinker", "sky-t1", "s1-32b", "qwq-", "marco-o1", "openreasoning", "acereason",
    "bitnet", "phixtral", "dbrx-", "speechless", "codegeex4", "claudette", "nanogpt", "minigpt", "distilgpt", "speechgpt", "llada", "mercury-", "dream-7b", "open-r1", "r1-", "hunyuan-a13b",
    "pegasus", "bart-", "mbart", "ctrl-", "transfo-xl", "reformer-", "led-", "longt5", "long-t5", "madlad", "nllb", "m2m100", "opus-mt", "towerinstruct", "tower-", "alma-", "seed-x", "c4ai-command", "exaone-deep",
    // Families that look and answer.
    "llava", "video-llava", "videollava", "video-llama", "videollama", "videochat", "video-chat", "videollm", "video-llm", "video-gpt-", "video-chatgpt",
    "video-r1", "video-xl", "video-salmonn", "llava-next-video", "llava-video", "longva-", "longvila", "longvu", "pllava", "tarsier", "timechat", "moviechat", "vtimellm", "vila-u",
    "chat-univi", "ferret", "kosmos", "fuyu", "idefics", "flamingo", "openflamingo", "open-flamingo", "blip", "instructblip", "xgen-mm", "mplug", "otter",
    "shikra", "sphinx-", "monkey-", "textmonkey", "moondream", "bunny-", "mobilevlm", "tinyllava", "bakllava", "nanollava", "deepseek-vl", "ovis", "mantis-", "eagle-", "eagle2",
    "aria-", "florence", "janus", "chameleon", "anole", "lwm-", "got-ocr", "olmocr", "nanonets-ocr", "clipcap", "git-base", "git-large", "pix2struct", "deplot", "matcha-chartqa",
    "docowl", "ureader", "cambrian", "prismatic", "vip-llava", "lisa-7b", "lisa-13b", "glamm", "osprey", "qwen2-vl", "qwen-vl", "cosmos-reason", "emu2-chat", "emu3-chat", "emu3-stage", "mini-gemini", "gpt4v", "gpt-4v",
    "llama-omni", "mini-omni", "baichuan-omni", "minicpm-o", "minicpm-v", "vita-1", "bagel-", "show-o", "unified-io", "uground", "ui-tars", "os-atlas", "showui", "granite-vision", "granite-docling", "smoldocling",
];

#[rustfmt::skip]
const IMAGE_CLASSIFICATION_PATTERNS: &[&str] = &[
    "vit", "resnet", "yolo", "image-class",
    // What it does.
    "imagenet", "image-recognition", "image-tagg", "image-segmentation", "image-detection", "image-feature", "image-quality", "object-detect",
    "segmentation", "semantic-seg", "instance-seg", "panoptic", "face-detect", "face-recog", "face-verif", "facial", "nsfw-image", "nsfw-detect", "nsfw-class", "ocr-",
    "pose-estimation", "depth-estimation", "background-removal", "remove-background", "image-matting", "matting", "vision-transformer", "visual-recognition", "deepfake-detect", "ai-image-detect", "emotion-recognition", "age-classif", "gender-classif",
    "zero-shot-object", "plant-disease", "skin-cancer", "pneumonia", "chest-x", "handwriting",
    // Backbones.
    "resnext", "resnest", "res2net", "seresnet", "seresnext", "wide-resnet", "preresnet", "iresnet", "regnet", "densenet", "inception", "googlenet", "vgg-", "vgg11", "vgg13", "vgg16", "vgg19", "alexnet", "lenet", "squeezenet",
    "mobilenet", "mobilevit", "mobileone", "mobileclip-seg", "mobilesam", "efficientnet", "efficientvit", "efficientformer", "efficientdet", "efficientsam",
    "nasnet", "mnasnet", "xception", "convnext", "convmixer", "mlp-mixer", "mixer-b", "mixer-l", "swin", "deit", "beit", "cait-", "pvt-", "pvtv2", "levit", "cvt-", "poolformer",
    "metaformer", "caformer", "convformer", "nat-mini", "nat-tiny", "nat-base", "dinat", "davit", "maxvit", "maxxvit", "coatnet", "coat-", "crossvit", "hiera", "eva-", "eva02", "dino", "rad-dino", "ijepa", "i-jepa", "vjepa", "v-jepa", "mae-", "simmim", "data2vec-vision",
    "moco", "simclr", "byol", "swav", "ibot-", "tinyvit", "tiny-vit", "fastvit", "repvgg", "repvit", "ghostnet", "shufflenet", "hardcorenas", "hrnet", "dpn", "resmlp", "gmlp", "twins-", "xcit", "tresnet", "ecaresnet", "skresnet", "cspnet", "cspdarknet", "darknet", "vovnet", "selecsls", "edgenext", "focalnet", "visformer", "volo-", "bit-50", "bit-m",
    "bit-s", "big-transfer", "timm", "mambavision", "vision-mamba", "vmamba", "vim-tiny", "vim-small", "perception-encoder", "aimv2", "radio-", "c-radio", "sapiens", "videomae", "video-mae", "timesformer", "vivit", "slowfast", "x3d-", "i3d-", "video-swin", "video-classification", "uniformer", "movinet", "mvit",
    // Detectors.
    "detr", "rtdetr", "rt-detr", "rf-detr", "rfdetr", "dfine", "d-fine", "deimv2", "deim-", "codetr", "co-detr", "deta-", "rcnn", "faster-rcnn", "fasterrcnn", "mask-rcnn", "maskrcnn", "cascade-rcnn", "retinanet", "ssd300", "ssd512", "ssdlite", "ssd-resnet",
    "ssd-vgg", "ssd-inception", "fcos", "centernet", "centermask", "cornernet", "owlvit", "owl-vit", "owlv2", "owl-v2", "glip", "grounding-dino", "groundingdino", "pp-yolo", "ppyolo", "pp-lcnet", "pp-hgnet", "pp-picodet", "damo-yolo", "rtmdet", "nanodet", "picodet", "vitdet", "detectron", "omdet", "regionclip", "detic", "blazeface",
    "blazepose", "mediapipe", "movenet", "posenet", "openpose", "rtmpose", "rtmo", "dwpose", "alphapose", "superpoint", "superglue", "lightglue", "loftr", "megadetector", "table-transformer", "table-detection", "doclayout", "layoutlm", "lilt-",
    "facenet", "arcface", "insightface", "retinaface", "mtcnn", "deepface", "yunet", "sface", "scrfd", "buffalo-l", "adaface", "cosface",
    // Segmenters and depth.
    "sam-", "sam2", "sam3", "segment-anything", "segment", "mobile-sam", "fastsam", "fast-sam", "edgesam", "medsam", "segformer", "maskformer", "mask2former", "oneformer", "upernet", "deeplab", "unet", "u-net", "unetr", "nnunet", "nn-unet", "fcn-", "fcn8", "pspnet", "bisenet", "u2net", "u2netp", "u-2-net", "birefnet", "ben2", "rmbg", "bria-rmbg", "modnet", "isnet",
    "inspyrenet", "clipseg", "groupvit", "seggpt", "setr-", "stdc", "pidnet", "ddrnet", "yolact", "solov2", "cellpose", "stardist", "totalsegmentator", "depth-anything", "depth-pro", "depthpro", "dpt-", "midas", "zoedepth", "glpn", "marigold",
    "metric3d", "unidepth", "monodepth", "vggface", "vitmatte", "wd-", "deepdanbooru", "joytag", "recognize-anything", "ram-plus", "chexnet", "torchxrayvision", "trocr", "donut-", "nougat", "crnn", "easyocr", "paddleocr", "pp-ocr", "surya", "doctr", "tesseract", "aesthetic-predictor", "nima-", "prithvi", "satlas", "satmae", "siglip-nsfw",
];

#[rustfmt::skip]
const AUDIO_PROCESSING_PATTERNS: &[&str] = &[
    "whisper", "audio", "wav2vec",
    // What it does.
    "asr", "stt", "s2t-", "s2s-", "speech-recognition", "speech-to-text", "speech2text", "speech-enhancement", "speech-emotion", "speech-separation",
    "speech-command", "speech-translation", "speech-encoder", "speech-seg", "speech-to-speech", "speech-tokenizer", "speech-language-id", "transcribe", "transcription", "transcriber", "voice-activity", "vad-", "voice-recognition", "voice-separation", "voice-enhance", "voice-detect", "voice-command", "voice-emotion", "voice-isolat",
    "speaker", "spoken", "diariz", "keyword-spotting", "kws-", "wake-word", "hotword", "language-id", "lang-id", "sound", "music", "song", "acoustic", "vocal", "source-separation", "denoise", "noise-suppress", "dereverb", "beat-track", "chord", "lyrics", "melody", "bird", "genre-classif", "instrument-rec",
    "diffusion-audio", "dance-diffusion", "music-diffusion", "audio-diffusion", "text-to-audio", "text-to-music", "text2music", "text-to-sound",
    // Recognisers.
    "wav2vec2", "w2v", "wavlm", "hubert", "distilhubert", "distil-whisper", "unispeech", "uni-speech", "data2vec-audio", "xlsr", "xls-r", "mms-", "seamless", "hf-seamless", "m4t", "conformer", "fastconformer", "parakeet", "canary", "citrinet", "quartznet", "jasper-10", "contextnet", "squeezeformer", "zipformer", "branchformer", "ebranchformer", "e-branchformer", "emformer", "transducer", "rnnt", "speechbrain",
    "speechmatics", "speecht5-asr", "vosk", "kaldi", "k2-fsa", "deepspeech", "coqui-stt", "silero", "pyannote", "pyannote-segmentation", "speaker-segmentation", "spkrec", "ecapa", "titanet", "marblenet", "matchboxnet", "sortformer", "xvector", "x-vector", "resemblyzer", "wespeaker", "campplus", "cam-pp", "3d-speaker", "emotion2vec", "funasr", "fun-asr", "fireredasr", "firered-asr", "paraformer", "sensevoice", "moonshine", "kyutai-stt", "crisperwhisper",
    "owsm", "owls-", "reverb-asr", "assemblyai", "universal-2", "deepgram", "nova-2-", "nova-3-", "nova2-", "scribe", "eleven-scribe", "elevenlabs-scribe", "qwen3-asr", "nemotron-speech", "vibevoice-asr", "glm-asr", "granite-speech", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "omnilingual", "ultravox", "voxtral", "dolphin-asr", "usm-", "chirp", "lugatitan", "indicconformer", "indic-conformer",
    "qwen-audio", "qwen2-audio", "audio-flamingo", "kimi-audio", "step-audio", "glm-4-voice", "moshi", "hibiki", "salmonn", "pengi", "ltu-as", "mimo-audio", "llama-audio", "canary-qwen", "lfm2-audio", "gpt-audio", "gpt-4o-audio",
    // Classifiers, separators, codecs.
    "ast-", "yamnet", "vggish", "panns", "pann-", "beats-", "clap", "laion-clap", "htsat", "passt", "efficientat", "byol-a", "openl3", "mert", "music2vec", "musicnn", "muq-", "mulan", "essentia", "madmom", "crepe", "basic-pitch", "mt3", "onsets-and-frames", "piano-transcription", "birdnet", "perch-", "biolingual", "htdemucs", "demucs", "spleeter", "unmix", "open-unmix", "openunmix", "mdx", "uvr", "bs-roformer",
    "mel-roformer", "mel-band", "melband", "sepformer", "conv-tasnet", "convtasnet", "tasnet", "dprnn", "dptnet", "metricgan", "mp-senet", "sgmse", "storm-", "cmgan", "frcrn", "mossformer", "deepfilternet", "rnnoise", "dtln", "facebook-denoiser", "resemble-enhance", "voicefixer", "clearvoice", "clearervoice", "nu-wave", "apollo-audio", "audiosr", "encodec", "soundstream", "dac-", "descript", "mimi-", "snac", "wavtokenizer", "xcodec", "x-codec",
    "speechtokenizer", "funcodec", "lyra-v2", "opus-codec", "semanticodec", "bigcodec", "hubert-soft", "openwakeword", "porcupine", "mctct", "clsril", "nemo-asr", "audiomae", "m2d-", "atst", "clmr",
    // Composers.
    "musicgen", "musiclm", "magnet-", "jukebox", "riffusion", "stable-audio", "audioldm", "audiogen", "audiocraft", "mustango", "tango-", "tango2", "tangoflux", "suno", "udio", "ace-step", "acestep", "yue-s", "yue-", "diffrhythm", "songgen", "songbloom", "levo-", "lyria", "jasco", "jen-1", "noise2music", "magenta", "muzic", "museformer", "moises", "melodyflow", "eleven-music", "elevenlabs-music", "eleven-sound", "elevenlabs-sound", "minimax-music", "mmaudio", "foley", "hunyuanvideo-foley", "hunyuan-foley", "video-to-audio", "video2audio", "make-an-audio", "ezaudio", "inspiremusic", "text2midi",
    "midi-", "multitrack", "skytnt",
];

#[rustfmt::skip]
const EMBEDDING_PATTERNS: &[&str] = &[
    "embed", "embedding", "sentence-transformer",
    // What it does.
    "rerank", "ranker", "cross-encoder", "crossencoder", "bi-encoder", "biencoder", "dual-encoder", "retriever", "retrieval", "similarity", "semantic-search", "sentence", "text2vec", "vectorizer", "text-embedding", "textembedding", "textual-encoder", "ms-marco", "msmarco", "paraphrase-", "multi-qa", "nli-",
    // Families.
    "bge-", "e5-", "me5-", "e5-mistral", "multilingual-e5", "gte-", "gte-qwen1", "gte-qwen2", "gte-modernbert", "stella-", "jina-embed", "jina-clip", "jina-colbert", "jina-rerank", "jina-v", "nomic-embed", "nomic-bert", "nv-embed", "nv-retriever", "nv-rerank", "sfr-embed", "linq-embed",
    "mistral-embed", "codestral-embed", "gemini-embed", "llama-embed", "qwen3-embed", "granite-embed", "embeddinggemma", "gritlm", "llm2vec", "echo-mistral", "uae-", "angle-", "mxbai-", "voyage", "cohere-embed", "cohere-rerank", "titan-embed", "gecko", "minilm", "all-minilm", "mpnet", "all-mpnet", "all-distilroberta", "all-roberta", "distiluse", "labse",
    "laser-", "laser2", "laser3", "sbert", "simcse", "sup-simcse", "unsup-simcse", "promcse", "diffcse", "declutr", "instructor", "contriever", "mcontriever", "dpr-", "ance-", "tas-b", "cocondenser", "condenser", "splade", "opensearch-neural-sparse", "colbert", "colpali", "colqwen", "colsmol", "colnomic", "colgemma", "colembed", "llama-nemoretriever", "nemoretriever", "biqwen", "bipali", "dse-qwen2",
    "monot5", "mono-t5", "rankt5", "rank-t5", "rankllama", "rankzephyr", "zerank", "universal-sentence", "use-large", "use-multilingual", "infersent", "skip-thought", "sent2vec", "word2vec", "fasttext", "glove", "elmo", "doc2vec", "node2vec", "potion-", "model2vec", "m2v-", "wordllama", "static-retrieval", "static-similarity",
    "m3e-", "piccolo", "tao-8k", "acge", "bce-", "zpoint", "xiaobu", "dmeta", "yinka", "conan-", "kalm-embed", "youtu-embed", "gme-", "gme-qwen2", "vlm2vec", "mm-embed", "e5-v", "unime", "sentence-t5", "st5-", "gtr-", "gtr-t5", "ember-v", "cde-small", "cde-", "arctic-embed", "snowflake-arctic-embed", "specter", "scincl", "sapbert", "text-ada", "text-similarity", "text-search", "drama-base", "drama-large", "solon-", "camembert-sentence",
    "sonar-", "sonar-text", "tart-", "reason-moderncolbert", "bge-multilingual-gemma2", "bge-en-icl", "bge-reranker", "bge-rerank", "bge-vl", "mgte", "inf-retriever", "qodo-embed", "codexembed", "codesage", "coderank", "unixcoder", "graphcodebert", "codebert", "seed1-5-embed", "seed1-6-embed",
    // Encoders of text.
    "bert-", "bert2", "roberta", "xlm-r", "xlm-roberta", "distilbert", "distilroberta", "albert", "modernbert", "mmbert", "neobert", "eurobert", "deberta", "mdeberta", "electra", "camembert", "flaubert", "rubert", "kobert", "indobert", "arabert", "phobert", "tinybert", "mobilebert", "scibert", "biobert", "pubmedbert", "clinicalbert", "legal-bert", "finbert", "mbert", "xlnet",
    "longformer", "bigbird", "big-bird", "nezha", "macbert", "chinese-roberta", "gottbert", "herbert-", "squeezebert", "rembert", "canine-", "funnel-", "splinter",
    // Encoders of images and texts.
    "clip", "openclip", "open-clip", "vit-clip", "metaclip", "mobileclip", "eva-clip", "eva02-clip", "evaclip", "dfn", "siglip", "align-base", "altclip", "biomedclip", "pubmedclip", "medclip", "fashionclip", "streetclip", "geoclip", "tinyclip", "longclip", "long-clip", "chinese-clip", "remoteclip", "plip-", "conch-", "medsiglip", "marqo-fashion", "imagebind", "languagebind", "languagebind-video", "languagebind-audio", "video-clip", "videoclip", "xclip", "x-clip", "coca-vit", "flava",
];

#[rustfmt::skip]
const VIDEO_GENERATION_PATTERNS: &[&str] = &[
    "video", "sora", "gen-video",
    // What it does.
    "text-to-video", "text2video", "txt2video", "txt2vid", "image-to-video", "image2video", "img2vid", "video-generation", "video-diffusion", "video-gen", "t2v", "i2v", "ti2v", "s2v-", "v2v-", "vid2vid", "t2vid", "talking-head", "talking-face", "lipsync", "lip-sync", "motion-", "frame-interpolation", "character-animation",
    // Families.
    "stable-video", "stable-video-diffusion", "svd-", "svd1", "animatediff", "animate-diff", "animatelcm", "animate-lcm", "animate-anyone", "animateanyone", "animate-x", "animate-", "magicanimate", "magic-animate", "cogvideo", "zeroscope", "modelscope-t2v", "modelscope-damo", "modelscope-text-to-video", "potat1", "videocrafter", "videocomposer", "videopoet",
    "latte-1", "latte-t2v", "open-sora", "opensora", "mochi", "ltx", "hunyuanvideo", "hunyuan-video", "hunyuan-avatar", "hunyuan-custom", "hunyuancustom", "hunyuan-gamecraft", "wan-", "wan2", "wan1", "wanx", "wan-2", "vace-", "skyreels", "easyanimate", "pyramid-flow", "pyramidflow", "allegro", "step-video", "seedance", "pixverse", "vidu-", "vidu1", "vidu2", "viduq", "hailuo", "minimax-video", "minimax-hailuo", "t2v-turbo", "t2v-01",
    "haiper", "jimeng", "framepack", "magi-1", "magi1", "fantasytalking", "hallo-", "hallo2", "hallo3", "echomimic", "sadtalker", "wav2lip", "musetalk", "latentsync", "liveportrait", "live-portrait", "emo-portrait", "v-express", "aniportrait", "dreamtalk", "omnihuman", "first-order-m", "fomm", "thin-plate", "musev", "musepose", "mimicmotion", "unianimate", "champ-", "dynamicrafter", "i2vgen", "ms-vid2vid", "tune-a-video", "tokenflow", "fatezero",
    "rerender-a-video", "vlogger", "show-1", "lavie", "seine", "motionctrl", "cameractrl", "streamingt2v", "streaming-t2v", "causvid", "self-forcing", "fastwan", "fast-wan", "fasthunyuan", "fastvideo", "phenaki", "lumiere", "make-a-video", "imagen-video", "movie-gen", "moviegen", "emu-video", "veo", "runway", "gen-1-", "gen-2-", "gen-3-", "gen-4-", "gen2-", "gen3-", "gen4-", "runway-gen",
    "runwayml-gen", "pika", "kling", "luma-", "lumalabs", "dream-machine", "ray-2", "ray-3", "ray2-", "ray3-", "ray-flash", "genmo", "nova-reel", "cosmos-1", "text2world", "video2world", "cosmos-predict", "cosmos-transfer", "cosmos-diffusion", "cosmos-nemotron-video", "kandinsky-video", "kandinsky-4", "kandinsky-5", "kandinsky-5-0-t2v", "longcat-video", "longcat-avatar", "videogpt", "vdm-", "tgan", "mocogan", "digan", "stylegan-v", "nuwa", "godiva", "cogvideox", "lvdm", "magicvideo", "magic-video",
    "waver-", "marey", "midjourney-video", "infinitetalk", "multitalk", "matrix-game", "oasis-500m", "diamond-csgo", "genie-", "rife-", "film-net", "dreamina", "higgsfield", "hedra", "d-id", "synthesia", "heygen", "reelmind", "sdxl-video", "firefly-video", "grok-video", "qwen-video",
];

#[rustfmt::skip]
const TEXT_TO_SPEECH_PATTERNS: &[&str] = &[
    "tts", "eleven", "speech",
    // What it does.
    "text-to-speech", "text2speech", "speech-synthesis", "speech-generation", "voice", "voice-clon", "voice-conver", "voice-chang", "real-time-voice", "realtime-voice", "singing-voice", "vocoder", "grapheme-to-phoneme", "g2p-",
    // Families.
    "xtts", "coqui", "bark-", "bark2", "suno-bark", "tortoise", "vits-", "vits2", "mms-tts", "melo-", "melotts", "parler", "indic-parler", "styletts", "style-tts", "stylettsz", "speecht5", "fastspeech", "fast-speech", "fastpitch", "mixer-tts", "glowtts", "tacotron", "tacotron2", "deepvoice", "deep-voice", "clarinet", "wavenet", "waveglow", "wavernn", "wave-rnn", "wavegrad", "diffwave", "flowtron", "radtts",
    "hifigan", "hifi-gan", "melgan", "mb-melgan", "parallel-wavegan", "bigvgan", "univnet", "vocos", "istftnet", "lpcnet", "p-flow-tts", "matcha-tts", "naturalspeech", "valle", "vall-e", "voicebox", "voicecraft", "soundstorm", "spear-tts", "megatts", "mega-tts", "cosyvoice", "cosy-voice", "fun-cosyvoice", "chattts", "chat-tts", "chatterbox", "fish-speech", "fish-audio-s1", "fish-audio", "fish-tts", "openaudio", "f5-", "f5tts", "e2-tts",
    "maskgct", "amphion", "metavoice", "whisperspeech", "whisper-speech", "emotivoice", "openvoice", "open-voice", "mars5", "mars6", "kokoro", "piper", "espeak", "festival-", "larynx", "mimic-3", "marytts", "picotts", "orpheus", "sesame-csm", "csm-", "dia-", "dia2", "zonos", "spark-tts", "sparktts", "llasa", "index-tts", "indextts", "outetts", "oute-tts", "kani-tts", "higgs-audio", "vibevoice", "neutts", "neu-tts",
    "supertonic", "voxcpm", "kitten-tts", "kittentts", "pocket-tts", "maya1", "veena", "moss-tts", "moss-ttsd", "balacoon", "silero-tts", "silero-voice", "playht", "play-ht", "playdialog", "play3", "resemble-ai", "murf", "wellsaid", "lovo", "polly", "amazon-polly", "cartesia", "sonic-english", "sonic-2", "sonic-3", "sonic-turbo", "hume", "octave-", "aura-", "aura2", "deepgram-aura", "inworld", "rime-", "mist-v", "minimax-speech", "speech-02",
    "yourtts", "toucan", "ims-toucan", "kan-bayashi", "hierspeech", "pheme", "dmospeech", "llmvox", "muyan", "styletts2", "bert-vits2", "style-bert-vits2", "gpt-sovits", "gptsovits", "gpt-so-vits", "sovits", "so-vits", "rvc", "seed-vc", "seed-tts", "freevc", "knn-vc", "knnvc", "quickvc", "diffsinger", "visinger", "nnsvs", "ddsp-svc", "nansy", "autovc", "stargan-vc", "cyclegan-vc", "adaspeech", "portaspeech", "prodiff", "qwen-tts", "qwen3-tts", "gemini-tts",
    "gemini-2-5-flash-tts", "gemini-2-5-pro-tts", "gemini-2-5-flash-preview-tts", "gemini-2-5-pro-preview-tts", "nova-sonic", "step-tts", "step-audio-tts", "step-audio-edit", "speechbrain-tts", "speechbrain-hifigan", "mistral-tts", "voxtral-tts", "voxtral-4b-tts", "glm-tts", "firered-tts", "fireredtts", "dragonvoice", "kyutai-tts", "unmute", "koboldtts", "overflow-tts", "neural-hmm", "capacitron", "delightful-tts", "e3-tts", "ditto-tts", "dittotts", "e1-tts", "csm1b", "lessac", "libritts",
];
